import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { systemClock } from "../../../src/async/clock.ts";
import { findBrowser } from "../../../src/providers/local/find_browser.ts";

/** Number of killed workers, each after a random time. */
const KILLS = 6;

/** Maximum time after which a worker is killed, enough for some starts and stops. */
const KILL_MS = 4_000;

const PROGRAM = new URL("../../support/local_worker.ts", import.meta.url);

const skip = Deno.build.os !== "linux"
  ? "processes are listed from /proc"
  : await findBrowser(undefined)
  ? undefined
  : "no Chrome or Chromium on this machine";

/** Folders of the profiles and the temporary files of a worker's browsers. */
interface Home {
  readonly dataDir: string;
  readonly tmp: string;
}

function runWorker({ dataDir, tmp }: Home, ...task: string[]) {
  return new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-check", "--quiet", "-A", PROGRAM.pathname],
      ...[dataDir, ...task],
    ],
    env: { TMPDIR: tmp },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** Kills a worker `afterMs` after its first line. */
async function runAndKill(home: Home, afterMs: number): Promise<void> {
  await using worker = runWorker(home);
  const lines = worker.stdout.getReader();
  await lines.read();
  await systemClock.sleep(afterMs);
  worker.kill("SIGKILL");
  await worker.status;
  await lines.cancel();
}

/** Returns the command lines of browsers and displays that contain `dataDir`. */
async function findProcesses(dataDir: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const line = await Deno.readTextFile(`/proc/${name}/cmdline`)
      .catch(() => "");
    if (line.includes(dataDir)) found.push(line.replaceAll("\0", " "));
  }
  return found;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  return entries.map(({ name }) => name);
}

if (skip !== undefined) {
  // deno-lint-ignore no-console -- the reason of a skipped test is its result
  console.log(`skipped: a worker killed at any moment: ${skip}`);
}

Deno.test({
  name:
    "sweep() after a worker was killed at any moment leaves no process, display or folder",
  ignore: skip !== undefined,
  async fn() {
    const root = await Deno.makeTempDir();
    const home = { dataDir: join(root, "data"), tmp: join(root, "tmp") };
    const sessions = join(home.dataDir, "local", "grid-1", "worker-1");
    await Deno.mkdir(home.tmp);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: KILL_MS }),
        async (afterMs) => {
          await runAndKill(home, afterMs);
          const sweeping = runWorker(home, "sweep");
          await sweeping.output();
          assert.deepEqual(await findProcesses(root), []);
          assert.deepEqual(await namesIn(sessions), []);
          assert.deepEqual(await namesIn(home.tmp), []);
        },
      ),
      { numRuns: KILLS, endOnFailure: true },
    );
    await Deno.remove(root, { recursive: true });
  },
});
