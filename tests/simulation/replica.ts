import { type Grid, openGrid } from "../../src/server/grid.ts";
import { createDatabase } from "../../src/db/client.ts";
import { connectSqlite } from "../../src/db/sqlite/sqlite_connection.ts";
import type { Settings } from "../../src/core/settings.ts";
import { APPS, MIDDLEWARE } from "../../src/installed.ts";
import type { Server } from "./message.ts";
import { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import { type DatabaseConditions, simConnection } from "./sim_connection.ts";
import { declaredProvider } from "./sim_provider.ts";

/** Parts of a replica. */
export interface ReplicaParts {
  readonly name: string;
  readonly settings: Settings;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly wallOffset: () => number;
  /** Longest usual way to the database. */
  readonly latencyMs: number;
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
  /** True if its processes run no background work. */
  isIdle = false;
  /** Wraps the handling of incoming requests. */
  tamper: (request: Request) => Promise<Request> = (request) =>
    Promise.resolve(request);
  readonly conditions: DatabaseConditions;
  readonly #parts: ReplicaParts;
  #wellAt = 0;
  #up: Up | undefined;

  constructor(parts: ReplicaParts) {
    this.name = parts.name;
    this.#parts = parts;
    this.conditions = {
      latencyMs: parts.latencyMs,
      failure: undefined,
      lostAnswers: 0,
    };
  }

  /** Since when it can do what a server does; Infinity: it cannot. */
  get wellSince(): number {
    const process = this.#up?.process;
    const { failure, lostAnswers } = this.conditions;
    if (!process?.isRunning || failure !== undefined || lostAnswers > 0) {
      return Infinity;
    }
    return Math.max(this.#wellAt, process.startedAt, process.wokenAt);
  }

  /** Changes how its database is reached. */
  reachDatabase(change: Partial<DatabaseConditions>): void {
    Object.assign(this.conditions, change);
    this.#wellAt = this.#parts.scheduler.now;
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
    let close = () => {};
    const grid = await openGrid(settings, {
      apps: APPS,
      middleware: MIDDLEWARE,
      providers: [declaredProvider()],
      version: "0.0.0-simulation",
      clock: process.clock,
      openDatabase: (url) => {
        const real = connectSqlite(url);
        const connection = simConnection(real, {
          ...this.#parts,
          process,
          conditions: this.conditions,
          isOpen: () => this.#up !== undefined,
        });
        close = () => real[Symbol.dispose]();
        return Promise.resolve(
          createDatabase(connection, { clock: process.clock }),
        );
      },
    });
    this.#up = { process, grid, close };
    if (!this.isIdle) grid.startBackgroundWork();
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
