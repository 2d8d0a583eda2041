import { setImmediate } from "node:timers";

/** Something that will happen. */
export interface Timer {
  cancel(): void;
}

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void | Promise<void>;
  isCancelled: boolean;
}

/**
 * Virtual time: a queue of what will happen, and a clock that jumps from one to the next.
 *
 * A step runs one entry and then everything that follows from it without the passing of time. Nothing else runs in
 * between, so that the same entries in the same order give the same history.
 */
export class Scheduler {
  readonly #heap: Entry[] = [];
  #now = 0;
  #order = 0;
  #steps = 0;
  #waiting = 0;

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.#now;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Returns the number of scheduled events. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Runs `run` after `ms`. A promise that it returns is awaited in real time: it must not wait for virtual time. */
  after(ms: number, run: () => void | Promise<void>): Timer {
    const at = this.#now + Math.max(0, ms);
    const entry: Entry = { at, order: this.#order++, run, isCancelled: false };
    this.#push(entry);
    this.#waiting++;
    return {
      cancel: () => {
        if (entry.isCancelled) return;
        entry.isCancelled = true;
        this.#waiting--;
      },
    };
  }

  /** Lets the next thing happen. False: there is none. */
  async step(): Promise<boolean> {
    let entry = this.#pop();
    while (entry?.isCancelled) entry = this.#pop();
    if (!entry) return false;
    entry.isCancelled = true;
    this.#waiting--;
    this.#now = entry.at;
    this.#steps++;
    const done = entry.run();
    if (done) await done;
    await settled();
    return true;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const up = at - 1 >> 1;
      const parent = heap[up];
      if (!parent || isBefore(parent, entry)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [a, b] = [heap[left], heap[left + 1]];
      const child = a && b && isBefore(b, a) ? b : a;
      if (!child || isBefore(last, child)) break;
      heap[at] = child;
      at = child === a ? left : left + 1;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || a.at === b.at && a.order < b.order;
}

/** Resolves when every promise that could be settled without time is. */
function settled(): Promise<void> {
  // Server and worker do nothing asynchronous but wait for the clock and what the simulation answers: all of the rest
  // are microtasks, which are over before the next task.
  return new Promise((resolve) => void setImmediate(resolve));
}
