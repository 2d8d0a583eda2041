import { createClient } from "../../src/client/client.ts";
import { Registry } from "../../src/core/registry.ts";
import { Worker } from "../../src/worker/worker.ts";
import type { Machine } from "./machine.ts";
import type { Network } from "./network.ts";
import { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import { providerOn } from "./sim_provider.ts";

/** Parts of a worker. */
export interface SimWorkerParts {
  /** By which the grid knows it. */
  readonly name: string;
  readonly isWanted: boolean;
  readonly machine: Machine;
  readonly pool: string;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly network: Network;
  /** Error of the machine's wall clock. */
  readonly wallOffset: () => number;
  /** Told when the server knows its process. */
  readonly onServing: (worker: SimWorker) => void;
  readonly log: (what: string) => void;
}

/** Pause before a worker that has ended is started again. */
const RESTART_MS = 5_000;

/** A worker: the real worker code on a simulated machine, in one process after another. */
export class SimWorker {
  readonly name: string;
  readonly machine: Machine;
  readonly pool: string;
  readonly #parts: SimWorkerParts;
  /** True if the worker is started, and restarted after it has ended. */
  isWanted: boolean;
  /** Speed of the monotonic clocks of its next processes. */
  rate = 1;
  #process: Process | undefined;
  #running: Worker | undefined;

  constructor(parts: SimWorkerParts) {
    this.name = parts.name;
    this.isWanted = parts.isWanted;
    this.machine = parts.machine;
    this.pool = parts.pool;
    this.#parts = parts;
  }

  /** The process that is there now, running or stopped. */
  get process(): Process | undefined {
    return this.#process;
  }

  /** The worker, once it has registered. */
  get running(): Worker | undefined {
    return this.#running;
  }

  /** Starts a process, unless one is there or none is wanted. */
  start(): void {
    if (this.#process || !this.isWanted) return;
    const { machine, scheduler, random, network, wallOffset, log } =
      this.#parts;
    const process = new Process({
      name: machine.name,
      scheduler,
      wallOffset,
      uptimeMs: random.between(0, 1e9),
      rate: this.rate,
    });
    this.#process = process;
    log(`${machine.name} starts`);
    void Worker.start({
      client: createClient({
        apiUrl: "http://grid",
        fetch: network.createFetch(process),
        // Its timer would be one of this machine.
        timeoutMs: Infinity,
      }),
      providers: new Registry("provider", [providerOn(machine, process)]),
      clock: process.clock,
      workPoolId: this.pool,
      workerName: this.name,
      capacity: machine.capacity,
      pollIntervalSeconds: 10,
      dataDir: "unused",
      state: machine.disk.open(),
      version: "0.0.0-simulation",
    }).then(
      (running) => this.#serve(running),
      (error: unknown) => this.#exit(`cannot start: ${error}`),
    );
  }

  /** Ends the process at once (kill -9); its browsers live on. */
  kill(): void {
    const process = this.#process;
    if (!process) return;
    process.kill();
    this.machine.disk.unlock();
    this.#process = undefined;
    this.#running = undefined;
    this.#parts.network.hangUp(process);
  }

  /** Takes no more sessions and leaves when it holds none (the first SIGTERM). */
  drain(): void {
    this.#running?.drain();
  }

  /** Ends its browsers and leaves; resolves in virtual time. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.[Symbol.asyncDispose]();
  }

  #serve(running: Worker): void {
    this.#running = running;
    this.#parts.onServing(this);
    void running.done.then(async (why) => {
      if (this.#running !== running) return;
      await this.stop();
      this.#exit(`has left: ${why}`);
    });
  }

  #exit(why: string): void {
    this.#parts.log(`${this.machine.name} ${why}`);
    this.kill();
    this.#parts.scheduler.after(RESTART_MS, () => this.start());
  }
}
