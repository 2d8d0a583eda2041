import type { BrowserExit } from "../../src/core/provider.ts";
import type { StateStore, WorkerState } from "../../src/worker/state_file.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** A browser on a machine. It outlives the process that started it. */
export class MachineBrowser {
  readonly sessionId: string;
  /** The process that started it, or the last that adopted it. */
  owner: Process;
  isAdopted = false;
  phase: "starting" | "running" | "stopping" | "gone" = "starting";
  readonly #onGone: ((exit: BrowserExit) => void)[] = [];
  #exit: BrowserExit | undefined;

  constructor(sessionId: string, owner: Process) {
    this.sessionId = sessionId;
    this.owner = owner;
  }

  /** True if a client can use the browser, or will soon. */
  get isLive(): boolean {
    return this.phase === "starting" || this.phase === "running";
  }

  whenGone(told: (exit: BrowserExit) => void): void {
    if (this.#exit) told(this.#exit);
    else this.#onGone.push(told);
  }

  end(exit: BrowserExit): void {
    if (this.#exit) return;
    this.#exit = exit;
    this.phase = "gone";
    for (const told of this.#onGone.splice(0)) told(exit);
  }
}

/** State that survives a worker's process, for one process at a time. */
export class Disk {
  #state: WorkerState | undefined;
  #isLocked = false;

  /** Becomes a copy of `other`. */
  copy(other: Disk): void {
    this.#state = other.#state;
  }

  open(): StateStore {
    if (this.#isLocked) throw new Error("Another process is the same worker");
    this.#isLocked = true;
    return {
      read: () => Promise.resolve(this.#state),
      write: (state) => {
        this.#state = state;
        return Promise.resolve();
      },
      [Symbol.asyncDispose]: () => Promise.resolve(this.unlock()),
    };
  }

  /** Called by the system at the end of the process. */
  unlock(): void {
    this.#isLocked = false;
  }
}

/** Behaviour of starts and ends on a machine; faults change it. */
export interface Habits {
  /** Share of starts that fail. */
  failures: number;
  /** Share of starts that hang. */
  hangs: number;
  /** Longest usual start, in milliseconds. */
  slowestMs: number;
  /** Share of browsers that survive their end although it is reported as successful. */
  leaks: number;
}

/** Parts of a machine. */
export interface MachinePlan {
  readonly name: string;
  readonly capacity: number;
  readonly scheduler: Scheduler;
  readonly random: Random;
}

/** A machine with an engine that runs browsers, with or without a worker. */
export class Machine {
  readonly name: string;
  readonly capacity: number;
  readonly browsers = new Set<MachineBrowser>();
  readonly habits: Habits = {
    failures: 0.01,
    hangs: 0,
    slowestMs: 2_000,
    leaks: 0,
  };
  readonly disk = new Disk();
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  #engineIsDown = false;
  #engineWokenAt = -Infinity;
  #whenUp: (() => void)[] = [];

  constructor({ name, capacity, scheduler, random }: MachinePlan) {
    this.name = name;
    this.capacity = capacity;
    this.#scheduler = scheduler;
    this.#random = random;
  }

  get engineIsDown(): boolean {
    return this.#engineIsDown;
  }

  /** When its engine last came back; -Infinity: it never was away. */
  get engineWokenAt(): number {
    return this.#engineWokenAt;
  }

  stopEngine(): void {
    this.#engineIsDown = true;
  }

  startEngine(): void {
    if (!this.#engineIsDown) return;
    this.#engineIsDown = false;
    this.#engineWokenAt = this.#scheduler.now;
    for (const go of this.#whenUp.splice(0)) this.#scheduler.after(1, go);
  }

  /** Does `work` after `ms`, and not before the engine is there. */
  afterEngine(ms: number, work: () => void): void {
    this.#scheduler.after(ms, () => {
      if (this.#engineIsDown) this.#whenUp.push(work);
      else work();
    });
  }

  /** Begins a start; told how it went, unless it hangs. */
  begin(
    sessionId: string,
    owner: Process,
    told: (outcome: "running" | "failed") => void,
  ): MachineBrowser {
    const browser = new MachineBrowser(sessionId, owner);
    this.browsers.add(browser);
    browser.whenGone(() => this.browsers.delete(browser));
    const { failures, hangs, slowestMs } = this.habits;
    if (this.#random.chance(hangs)) return browser;
    const fails = this.#random.chance(failures);
    this.afterEngine(this.#random.between(50, slowestMs), () => {
      if (browser.phase !== "starting") return;
      if (fails) browser.end({ reason: "crashed", detail: "exit code 1" });
      else browser.phase = "running";
      told(fails ? "failed" : "running");
    });
    return browser;
  }

  /** Ends a browser within about `graceMs`. */
  stop(browser: MachineBrowser, graceMs: number, then: () => void): void {
    if (browser.phase === "gone") return then();
    if (this.#random.chance(this.habits.leaks)) return then();
    browser.whenGone(then);
    browser.phase = "stopping";
    const slow = this.#random.chance(0.1) ? graceMs : graceMs / 10;
    this.afterEngine(
      this.#random.between(5, 100 + slow),
      () => browser.end({ reason: "stopped", detail: "it was asked to" }),
    );
  }
}
