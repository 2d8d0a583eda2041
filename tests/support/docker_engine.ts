import { docker, dockerMissing } from "./docker.ts";
import { eventually } from "./eventually.ts";

/** Says that the engine was started for the tests, so that they may end it. */
const VARIABLE = "TEST_ENGINE_RESTART";

const PID_FILE = "/var/run/docker.pid";

/** Why the engine may not be restarted here; undefined if it may. */
export const restartForbidden: string | undefined =
  Deno.env.get(VARIABLE) === "1"
    ? dockerMissing
    : `the Docker engine may be somebody's: ${VARIABLE} is not 1`;

/** A test that restarts the Docker engine. Where it may not, it is skipped and tells why. */
export function engineTest(name: string, fn: () => Promise<void>): void {
  const ignore = restartForbidden !== undefined;
  if (ignore) {
    // deno-lint-ignore no-console -- the reason of a skipped test is its result
    console.log(`skipped: ${name}: ${restartForbidden}`);
  }
  Deno.test({ name, fn, ignore });
}

/** The engine, ended; it is started again as it was started before, by disposal at the latest. */
export interface EndedEngine extends AsyncDisposable {
  /** Resolves when it answers again. */
  start(): Promise<void>;
}

/** Ends the engine of this machine and waits until its process is gone. */
export async function endEngine(
  signal: "SIGTERM" | "SIGKILL",
): Promise<EndedEngine> {
  const pid = await enginePid();
  if (pid === undefined) throw new Error("Cannot end the engine: none runs");
  const start = await readCommand(pid);
  // Its containerd ends with it, but a little later; a new engine would take it for its own.
  const family = [pid, ...await listChildren(pid)];
  Deno.kill(pid, signal);
  await eventually("the engine ends", () => areGone(family), {
    withinMs: 60_000,
  });
  await removePidFile(pid);
  let isDown = true;
  async function startAgain(): Promise<void> {
    if (!isDown) return;
    isDown = false;
    await spawnDetached(start);
    await eventually("the engine answers", () => docker.ping(), {
      withinMs: 60_000,
    });
  }
  return { start: startAgain, [Symbol.asyncDispose]: startAgain };
}

/** Command of a process. */
interface Start {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** File that its output goes to. */
  readonly output: string;
}

async function enginePid(): Promise<number | undefined> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const [program = ""] = await readFields(`/proc/${name}/cmdline`);
    if (/(^|\/)dockerd$/.test(program)) return Number(name);
  }
}

async function readCommand(pid: number): Promise<Start> {
  const output = await Deno.readLink(`/proc/${pid}/fd/1`).catch(() => "");
  const variables = await readFields(`/proc/${pid}/environ`);
  return {
    command: await readFields(`/proc/${pid}/cmdline`),
    env: Object.fromEntries(variables.map((field) => splitAt(field, "="))),
    output: output.startsWith("/") ? output : "/dev/null",
  };
}

/** As a process that outlives the tests. */
async function spawnDetached({ command, env, output }: Start): Promise<void> {
  const { success } = await new Deno.Command("sh", {
    args: [
      ...["-c", 'log=$1; shift; exec setsid --fork "$@" >>"$log" 2>&1'],
      ...["sh", output, ...command],
    ],
    env: { ...env },
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  if (!success) throw new Error(`Cannot start ${command.join(" ")}`);
}

/** Each of its threads has its own. */
async function listChildren(pid: number): Promise<number[]> {
  const threads = await Array.fromAsync(Deno.readDir(`/proc/${pid}/task`));
  const lists = await Promise.all(
    threads.map(({ name }) =>
      Deno.readTextFile(`/proc/${pid}/task/${name}/children`).catch(() => "")
    ),
  );
  return lists.join(" ").split(/\s+/).filter(Boolean).map(Number);
}

/** A zombie is there still: the next engine would take it for one that lives. */
async function areGone(pids: readonly number[]): Promise<boolean> {
  const left = await Promise.all(
    pids.map((pid) => Deno.stat(`/proc/${pid}`).catch(() => undefined)),
  );
  return left.every((stat) => stat === undefined);
}

/** A killed engine leaves it, and the next would not start as long as the number is not free. */
async function removePidFile(pid: number): Promise<void> {
  const text = await Deno.readTextFile(PID_FILE).catch(() => "");
  if (Number(text) === pid) await Deno.remove(PID_FILE);
}

async function readFields(path: string): Promise<string[]> {
  const text = await Deno.readTextFile(path).catch(() => "");
  return text.split("\0").filter((field) => field !== "");
}

function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + separator.length)];
}
