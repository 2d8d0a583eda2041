/**
 * Reaping as process 1. In a container without an init, processes whose parents have ended become children of the
 * program and stay defunct until it waits for them. The runtime only waits for processes that it started.
 *
 * @module
 */
import type { Clock } from "../async/clock.ts";
import { createLogger } from "../core/log.ts";
import { every } from "../async/every.ts";

const log = createLogger("worker", "reap_orphans");

/** Time between two scans. An ended process is reaped after one to two scans. */
const SCAN_MS = 2_000;

/** Option of `waitpid`: return immediately. */
const WNOHANG = 1;

/** Functions of the C library. */
interface Libc {
  /** Waits for one ended child. */
  reap(pid: number): void;
  close(): void;
}

/** Reaps orphaned processes until disposed. Does nothing unless this is process 1 of a Linux system. */
export function reapOrphans(
  clock: Clock,
  pid: number = Deno.pid,
): AsyncDisposable {
  if (Deno.build.os !== "linux" || pid !== 1) return new AsyncDisposableStack();
  const libc = openLibc();
  if (!libc) return new AsyncDisposableStack();
  const stack = new AsyncDisposableStack();
  stack.defer(() => libc.close());
  let before: ReadonlySet<string> = new Set();
  stack.use(every(async () => {
    before = await reapOnce(before, libc);
  }, {
    clock,
    periodMs: SCAN_MS,
    onFailure: (error) =>
      log.warn("Cannot reap ended processes: {error}", { error }),
  }));
  return stack;
}

/**
 * Reaps the ended children that were already ended in the previous scan, and returns the current ones. By then the
 * runtime has waited for its own children, whose exit codes would otherwise be lost.
 */
async function reapOnce(
  before: ReadonlySet<string>,
  { reap }: Libc,
): Promise<ReadonlySet<string>> {
  const ended = new Map<string, number>();
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const startTime = await findEndedChild(name);
    if (startTime !== undefined) ended.set(`${name}@${startTime}`, +name);
  }
  for (const [mark, pid] of ended) if (before.has(mark)) reap(pid);
  return new Set(ended.keys());
}

/** Returns the start time of an ended child of this process; undefined if `pid` is not one. */
async function findEndedChild(pid: string): Promise<string | undefined> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
  // The name, in parentheses, may contain any characters.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, parent] = fields;
  return state === "Z" && parent === "1" ? fields[19] : undefined;
}

/** Opens the C library; returns undefined if it is missing or not permitted. */
function openLibc(): Libc | undefined {
  try {
    const libc = Deno.dlopen("libc.so.6", {
      waitpid: { parameters: ["i32", "pointer", "i32"], result: "i32" },
    });
    return {
      reap: (pid) => {
        libc.symbols.waitpid(pid, null, WNOHANG);
      },
      close: () => libc.close(),
    };
  } catch (error) {
    log.warn(
      "Cannot reap ended processes as process 1, start the container with an init (docker run --init): {error}",
      { error },
    );
    return undefined;
  }
}
