import type { Clock } from "../../src/async/clock.ts";
import type { Scheduler, Timer } from "./scheduler.ts";

/** Wall clocks begin here. */
const EPOCH = Date.UTC(2026, 0, 1);

/** Time as a process of the simulation reads it. */
export interface ProcessOptions {
  readonly name: string;
  readonly scheduler: Scheduler;
  /** Current difference of its wall clock from the true time. */
  readonly wallOffset?: () => number;
  /** Value of its monotonic clock at its start. */
  readonly uptimeMs?: number;
  /** Speed of its monotonic clock. @default {1} */
  readonly rate?: number;
}

/**
 * A process: everything that reaches the code that runs in it goes through {@linkcode deliver}, so that it can be
 * stopped (SIGSTOP), woken, and killed (kill -9) at any moment.
 */
export class Process {
  readonly name: string;
  readonly clock: Clock;
  readonly #scheduler: Scheduler;
  #state: "running" | "paused" | "dead" = "running";
  #delayed: (() => void)[] = [];
  #timers = 0;
  #wokenAt = -Infinity;
  /** True if a newer process is the same worker. */
  isSuperseded = false;
  readonly startedAt: number;

  constructor(
    { name, scheduler, wallOffset = () => 0, uptimeMs = 0, rate = 1 }:
      ProcessOptions,
  ) {
    this.name = name;
    this.#scheduler = scheduler;
    const startedAt = scheduler.now;
    this.startedAt = startedAt;
    this.clock = {
      now: () => Math.floor(EPOCH + scheduler.now + wallOffset()),
      monotonic: () => uptimeMs + (scheduler.now - startedAt) * rate,
      sleep: (ms, signal) => this.#sleep(ms, signal),
    };
  }

  get isDead(): boolean {
    return this.#state === "dead";
  }

  get isRunning(): boolean {
    return this.#state === "running";
  }

  /** Timers that its code waits for. */
  get timers(): number {
    return this.#timers;
  }

  /** When it was last woken from a pause; -Infinity: never. */
  get wokenAt(): number {
    return this.#wokenAt;
  }

  /** Lets `reach` in: now, when the process is woken, or never. */
  deliver(reach: () => void): void {
    if (this.#state === "running") reach();
    else if (this.#state === "paused") this.#delayed.push(reach);
  }

  /** Lets `reach` in after `ms`. */
  after(ms: number, reach: () => void): Timer {
    return this.#scheduler.after(ms, () => this.deliver(reach));
  }

  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  /** Everything that was delayed comes at once, one step each. */
  wake(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    this.#wokenAt = this.#scheduler.now;
    for (const reach of this.#delayed.splice(0)) this.after(0, reach);
  }

  kill(): void {
    this.#state = "dead";
    this.#delayed = [];
    this.#timers = 0;
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      let isOver = false;
      const finish = (settle: () => void) => {
        if (isOver) return;
        isOver = true;
        this.#timers--;
        timer.cancel();
        signal?.removeEventListener("abort", onAbort);
        settle();
      };
      const onAbort = () => finish(() => reject(signal?.reason));
      this.#timers++;
      const timer = this.after(ms, () => finish(resolve));
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}
