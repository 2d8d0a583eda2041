import { systemClock } from "../../async/clock.ts";
import { every } from "../../async/every.ts";
import { trimMemory } from "./memory_trim.ts";

const MB = 2 ** 20;

/** Interval of the readings. */
const CHECK_MS = 1_000;

/** Growth of the used heap between two readings from which on the main thread counts as busy: two requests need more. */
const BUSY_BYTES = MB / 4;

/** Growth of the heap since the last collection that is worth another. */
const GROWTH_BYTES = 16 * MB;

/** Heap size from which on the engine alone collects, in short steps: the pause grows with the heap. */
const MAX_BYTES = 128 * MB;

/** Size of the heap at one moment, in bytes. */
export type HeapReading = Pick<Deno.MemoryUsage, "heapTotal" | "heapUsed">;

/** Decides from periodic readings of the heap when a collection pays and delays no request. */
export class IdleHeap {
  #lastUsed = -Infinity;
  #collectedTotal = 0;

  /** Returns true if the main thread is idle and the heap has grown since the last collection. */
  shouldCollect({ heapTotal, heapUsed }: HeapReading): boolean {
    const grownBytes = heapUsed - this.#lastUsed;
    this.#lastUsed = heapUsed;
    // It shrinks when the engine collects, which it does for a thread that allocates.
    const isIdle = grownBytes >= 0 && grownBytes < BUSY_BYTES;
    const hasGrown = heapTotal - this.#collectedTotal >= GROWTH_BYTES;
    return isIdle && hasGrown && heapTotal < MAX_BYTES;
  }

  /** Records the size of the heap after a collection. */
  recordCollected({ heapTotal, heapUsed }: HeapReading): void {
    this.#collectedTotal = heapTotal;
    this.#lastUsed = heapUsed;
  }
}

/**
 * Returns the memory that the start, or many clients at once, needed for a moment to the system, in the first idle
 * second after it. Disposal ends it.
 *
 * A burst enlarges the engine's space of new objects to up to 60 MB and leaves garbage in the other, which an idle
 * server would keep for half a minute or more. The collection takes 0.1 to 0.2 s of processor time, shared by two
 * threads; bytes of streams do not wait for it, since they are on a thread of their own.
 *
 * @see {@link https://nodejs.org/api/v8.html#v8setflagsfromstringflags}
 */
export function collectWhenIdle(): AsyncDisposable {
  const heap = new IdleHeap();
  let collect: (() => void) | undefined;
  return every(async () => {
    if (!heap.shouldCollect(Deno.memoryUsage())) return;
    collect ??= await loadCollector();
    collect();
    heap.recordCollected(Deno.memoryUsage());
  }, { clock: systemClock, periodMs: CHECK_MS });
}

/** Returns a function that collects all garbage of the engine, and returns freed memory to the system. */
async function loadCollector(): Promise<() => void> {
  const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([
    import("node:v8"),
    import("node:vm"),
  ]);
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  return () => {
    if (typeof gc === "function") gc();
    trimMemory();
  };
}
