import { type Grid, openGrid } from "../../src/cli/grid.ts";
import { openDatabase } from "../../src/core/db/client.ts";
import type { Settings } from "../../src/core/settings.ts";
import { APPS, MIDDLEWARE } from "../../src/installed.ts";
import type { Server } from "./message.ts";
import { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import { type DatabaseConditions, simDatabase } from "./sim_database.ts";
import { declaredProvider } from "./sim_provider.ts";

/** What a replica is made of. */
export interface ReplicaParts {
  readonly name: string;
  readonly settings: Settings;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly wallOffset: () => number;
  readonly conditions: DatabaseConditions;
  /** Told after every statement of its database. */
  readonly onTrip: () => void;
}

interface Up {
  readonly process: Process;
  readonly grid: Grid;
  /** Takes its database away, as the end of a process does. */
  readonly close: () => void;
}

/** A machine that serves the grid: the real server code, in one process after another. */
export class Replica implements Server {
  readonly name: string;
  /** Whether its processes do what a server does in the background. */
  isIdle = false;
  /** What happens to requests on their way in. */
  tamper: (request: Request) => Promise<Request> = (request) =>
    Promise.resolve(request);
  readonly #parts: ReplicaParts;
  #up: Up | undefined;

  constructor(parts: ReplicaParts) {
    this.name = parts.name;
    this.#parts = parts;
  }

  get process(): Process | undefined {
    return this.#up?.process;
  }

  get grid(): Grid | undefined {
    return this.#up?.grid;
  }

  /** Starts the server, unless it runs. Takes no virtual time. */
  async start(): Promise<void> {
    if (this.#up) return;
    const { name, settings, scheduler, wallOffset, random } = this.#parts;
    const process = new Process({
      name,
      scheduler,
      wallOffset,
      uptimeMs: random.between(0, 1e9),
    });
    const database = Promise.withResolvers<() => void>();
    const grid = await openGrid(settings, {
      apps: APPS,
      middleware: MIDDLEWARE,
      providers: [declaredProvider()],
      version: "0.0.0-simulation",
      clock: process.clock,
      openDatabase: async (url) => {
        const real = await openDatabase(url);
        database.resolve(() => real[Symbol.dispose]());
        const isOpen = () => this.#up !== undefined;
        return simDatabase(real, { ...this.#parts, process, isOpen });
      },
    });
    this.#up = { process, grid, close: await database.promise };
    if (!this.isIdle) grid.work();
  }

  /** Ends the process at once (kill -9). */
  kill(): void {
    this.#up?.process.kill();
    this.#up?.close();
    this.#up = undefined;
  }

  /** Ends the process in good order; resolves in virtual time. */
  async stop(): Promise<void> {
    const up = this.#up;
    this.#up = undefined;
    await up?.grid[Symbol.asyncDispose]();
  }

  async handle(request: Request): Promise<Response> {
    if (!this.#up) return new Promise(() => {});
    const { router } = this.#up.grid;
    return await router.fetch(await this.tamper(request));
  }
}
