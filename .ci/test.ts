/**
 * Runs every test in two processes at once: tests of faults and containers wait most of the time, and leave room for the
 * others.
 *
 * Prints what each process printed, one after the other, and the sum of their last lines. Arguments go to `deno test`.
 *
 * @module
 */

/** Folders whose tests share the machine's container engine, which some restart: they run one after another. */
const WITH_THE_ENGINE = ["e2e", "faults", "providers/docker"];

/** What `deno test` counts, in the order of its last line. */
const COUNTED = ["passed", "failed", "ignored"];

const everything = namesIn("tests").flatMap((name) =>
  name === "providers"
    ? namesIn("tests/providers").map((each) => `providers/${each}`)
    : name
).filter((name) => name !== "support");
const groups = [
  everything.filter((name) => WITH_THE_ENGINE.includes(name)),
  everything.filter((name) => !WITH_THE_ENGINE.includes(name)),
];

const runs = groups.map(runTests);
const summaries: Summary[] = [];
for (const run of runs) summaries.push(await print(run));
const isOk = summaries.every(({ isOk }) => isOk);
const sums = COUNTED.map((what) =>
  `${summaries.reduce((sum, { text }) => sum + count(text, what), 0)} ${what}`
);
write(`\n${isOk ? "ok" : "FAILED"} | ${sums.join(" | ")}\n`);
Deno.exit(isOk ? 0 : 1);

interface Run {
  readonly output: ReadableStream<Uint8Array>;
  readonly status: Promise<Deno.CommandStatus>;
}

interface Summary {
  readonly isOk: boolean;
  /** Last line with counts. */
  readonly text: string;
}

function namesIn(folder: string): readonly string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name);
}

function runTests(folders: readonly string[]): Run {
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      // Without --quiet, which hides why a test is skipped.
      'exec "$0" test --no-check -A "$@" 2>&1',
      Deno.execPath(),
      ...Deno.args,
      ...folders.map((name) => `tests/${name}`),
    ],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  return { output: buffered(child.stdout), status: child.status };
}

/** The same bytes, read at once: a process whose turn has not come must not wait for a reader. */
function buffered(
  source: ReadableStream<Uint8Array>,
): ReadableStream<Uint8Array> {
  return source.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({}, {}, {
      highWaterMark: Infinity,
    }),
  );
}

async function print({ output, status }: Run): Promise<Summary> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of output) {
    const part = decoder.decode(chunk, { stream: true });
    write(part);
    text = (text + part).slice(-10_000);
  }
  const lines = text.split("\n").filter((line) => /^(ok|FAILED) \|/.test(line));
  return { isOk: (await status).success, text: lines.at(-1) ?? "" };
}

function count(summary: string, what: string): number {
  return Number(new RegExp(`(\\d+) ${what}`).exec(summary)?.[1] ?? 0);
}

function write(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
