/**
 * Runs every test in several concurrent processes, because most tests mostly wait.
 *
 * ```text
 * engine   tests that load the container engine most, one after another, and then the queue
 * idle     tests of browsers and clients that are idle for a minute, concurrently
 * queue    all other tests by folder: three processes take the next folder, the longest first
 * restart  tests that restart the engine, when no other test uses it
 * ```
 *
 * The tests of some folders are combined into one module, so that their common imports are loaded once instead of once
 * per file. Prints the output of each process, the slowest tests, and the sum of the last lines. Arguments are passed
 * to `deno test`.
 *
 * @module
 */
import { join } from "node:path";
import { oneModule } from "../tests/support/one_module.ts";

/** Targets that run one after another. */
const ENGINE = ["e2e", "providers/docker", "faults/browser_test.ts"];

/** Also loads the engine, a little. */
const CHAOS = "faults/chaos_test.ts";
const IDLE = ["e2e/idle_test.ts", "e2e/quiet_client_test.ts"];
const RESTART = "faults/engine_test.ts";

/** Targets that take longest; the other folders follow. */
const LONGEST_FIRST = [
  ...[CHAOS, "faults", "remote", "http", "ci", "providers/kubernetes"],
  ...["providers/azure_container_instance", "providers/local", "worker"],
];

/** Folders of many small files, each combined into one module. Other folders have tests that replace globals. */
const ONE_MODULE = [
  ...["apps", "async", "ci", "core", "db", "http", "middleware", "gateway"],
  "cli",
  "worker",
];

/**
 * Marks a file that needs the platform's own `Response`, which the HTTP server of other files in its module replaces.
 */
const PLATFORM_SERVER = "Deno.serve(";

/** Timeout of one process: a hanging test fails, and its name is printed last. */
const LIMIT_MS = 15 * 60_000;

/** Number of processes that run targets of the queue. */
const QUEUE_PROCESSES = 3;

const SLOWEST = 10;

/** What `deno test` counts, in the order of its last line. */
const COUNTED = ["passed", "failed", "ignored"];

const ROOT = join(import.meta.dirname ?? ".", "..", "tests");

/** Result of a finished process. */
interface Outcome {
  readonly isOk: boolean;
  readonly text: string;
}

const outcomes: Outcome[] = [];
const queue = await queued();
await Promise.all([
  ...IDLE.map(run),
  ...Array.from({ length: QUEUE_PROCESSES }, () => inTurn(queue)),
  inTurn([...ENGINE]).then(() => inTurn(queue)),
]);
await run(RESTART);
const isOk = outcomes.every(({ isOk }) => isOk);
const text = outcomes.map(({ text }) => text).join("\n");
write(`\nThe slowest tests:\n${slowest(text).join("\n")}\n`);
write(`\n${isOk ? "ok" : "FAILED"} | ${sums(text).join(" | ")}\n`);
Deno.exit(isOk ? 0 : 1);

/** Runs the targets in a shared list until it is empty. */
async function inTurn(names: string[]): Promise<void> {
  for (let next; (next = names.shift()) !== undefined;) await run(next);
}

/** Returns the queue, longest target first. */
async function queued(): Promise<string[]> {
  const names = [
    CHAOS,
    ...(await namesIn("")).filter((name) => name !== "providers"),
    ...(await namesIn("providers")).map((name) => `providers/${name}`),
  ].filter((name) => !ENGINE.includes(name));
  const rank = (name: string) => (LONGEST_FIRST.indexOf(name) + 1) || Infinity;
  return names.sort((one, other) =>
    rank(one) - rank(other) || one.localeCompare(other)
  );
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(join(ROOT, folder)));
  return entries.map(({ name }) => name);
}

/** Runs the tests of a file or folder, prints their output at the end, and stores it. */
async function run(name: string): Promise<void> {
  const files = (await testFiles(join(ROOT, name))).filter((file) =>
    isOwn(file, name)
  );
  if (files.length === 0) return;
  const [alone, together] = ONE_MODULE.includes(name)
    ? await partition(files)
    : [files, []];
  await using module = await oneModule(together);
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      // Without --quiet, which hides why a test is skipped.
      'exec "$0" test --no-check --config deno.json -A "$@" 2>&1',
      ...[Deno.execPath(), ...Deno.args],
      ...together.length > 0 ? [module.path] : [],
      ...alone,
    ],
    cwd: join(ROOT, ".."),
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  const startedAt = performance.now();
  const { success, stdout } = await child.output();
  const text = new TextDecoder().decode(stdout);
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  write(`\n== tests/${name}, ${seconds} s\n${text}`);
  outcomes.push({ isOk: success, text });
}

/** Returns the files that need a separate module, and those that can share one. */
async function partition(
  files: readonly string[],
): Promise<[string[], string[]]> {
  const alone: string[] = [];
  const together: string[] = [];
  for (const file of files) {
    const text = await Deno.readTextFile(file);
    (text.includes(PLATFORM_SERVER) ? alone : together).push(file);
  }
  return [alone, together];
}

/** Reports whether a file runs as part of `name`, and not as a separate target. */
function isOwn(file: string, name: string): boolean {
  return [...ENGINE, CHAOS, ...IDLE, RESTART].every((other) =>
    other === name || !file.startsWith(join(ROOT, other)) ||
    name.startsWith(other)
  );
}

async function testFiles(path: string): Promise<string[]> {
  const { isFile } = await Deno.stat(path);
  if (isFile) return /_test\.ts$/.test(path) ? [path] : [];
  const entries = await Array.fromAsync(Deno.readDir(path));
  const found = await Promise.all(
    entries.filter(({ name }) => name !== "node_modules")
      .map(({ name }) => testFiles(join(path, name))),
  );
  return found.flat().sort();
}

/** Returns the slowest tests of an output, as lines. */
function slowest(text: string): readonly string[] {
  // The runner interrupts the line of a test that runs for a minute.
  const lines = text.replaceAll(/'[^\n]*' has been running for .*\n/g, "");
  return [...lines.matchAll(/^(\S.*) \.\.\. ?\w+ \((.*)\)$/gm)]
    .map(([, name, time = ""]) => ({ name, time, seconds: inSeconds(time) }))
    .sort((one, other) => other.seconds - one.seconds)
    .slice(0, SLOWEST)
    .map(({ name, time }) => `${time.padStart(6)} ${name}`);
}

/** Parses `1m2s`, `16s` or `12ms` to seconds. */
function inSeconds(time: string): number {
  const [, minutes = 0, seconds = 0] = /^(?:(\d+)m(?!s))?(?:(\d+)s)?/.exec(
    time,
  ) ?? [];
  return Number(minutes) * 60 + Number(seconds);
}

/** Returns the sums of the last lines of all outputs. */
function sums(text: string): readonly string[] {
  const lines = [...text.matchAll(/^(?:ok|FAILED) \|.*$/gm)].join("\n");
  return COUNTED.map((what) => {
    const counts = [...lines.matchAll(new RegExp(`(\\d+) ${what}`, "g"))];
    return `${counts.reduce((sum, [, n]) => sum + Number(n), 0)} ${what}`;
  });
}

function write(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
