import { openDatabase } from "../../src/db/client.ts";
import { migrate } from "../../src/db/migrate.ts";
import { loadSettings } from "../../src/core/settings.ts";
import { readAllMigrations } from "../../src/server/grid.ts";
import { APPS } from "../../src/installed.ts";
import type { Client } from "@libsql/client";
import { Caller } from "./caller.ts";
import { Ledger } from "./ledger.ts";
import { Machine, type MachinePlan } from "./machine.ts";
import type { Listener } from "./message.ts";
import { Network } from "./network.ts";
import { Process } from "./process.ts";
import { type PoolPlan, POOLS } from "./pools.ts";
import type { Random } from "./random.ts";
import { Replica } from "./replica.ts";
import { Scheduler } from "./scheduler.ts";
import { SimWorker } from "./sim_worker.ts";
import type { Trace } from "./trace.ts";

const LEASE_SECONDS = 30;

/** Ends the names of machines that are copies of others: what runs there is the same worker. */
const TWIN = "-twin";

/** Most by which the clocks of servers differ that keep them right. */
const SKEW_MS = 300;

/** Everything that a run is made of. */
export class World implements Disposable {
  readonly scheduler = new Scheduler();
  readonly leaseMs = LEASE_SECONDS * 1_000;
  readonly ledger: Ledger;
  readonly network: Network;
  readonly replicas: readonly Replica[];
  readonly workers: readonly SimWorker[];
  /** Clients that create sessions. */
  readonly clients: Process;
  readonly trace: Trace;
  /** Ids of the sessions whose creation was acknowledged. */
  readonly accepted = new Set<string>();
  readonly #client: Client;
  readonly #operator: Caller;
  readonly #pools = new Map<string, PoolPlan>();
  readonly #names = new Map<string, string>();
  #wallOffset = 0;
  #jumpedAt = -Infinity;
  #isStale = true;
  #failure: unknown;

  private constructor(
    { random, trace, client, ledger, url, folder, listener }: {
      readonly random: Random;
      readonly trace: Trace;
      readonly client: Client;
      readonly ledger: Ledger;
      readonly url: string;
      readonly folder: string;
      readonly listener: (world: World) => Listener;
    },
  ) {
    const { scheduler } = this;
    this.trace = trace;
    this.ledger = ledger;
    this.#client = client;
    // Half of the runs have a file, the others a database at some distance.
    const latencyMs = random.chance(0.5) ? 0 : 15;
    const { settings } = loadSettings({
      defaults: {
        data_dir: folder,
        database_url: url,
        migrate: false,
        encryption_key: "5e".repeat(32),
      },
      env: {},
      flags: {
        allowed_hosts: ["grid"],
        worker_networks: ["127.0.0.0/8"],
        lease_seconds: LEASE_SECONDS,
        queue_timeout_seconds: 90,
        start_timeout_seconds: 40,
        session_timeout_minutes: 2,
      },
    });
    const offBy = (skewMs: number) => () => this.#wallOffset + skewMs;
    this.replicas = ["a", "b"].map((name) =>
      new Replica({
        name,
        settings,
        scheduler,
        random: random.fork(),
        latencyMs,
        wallOffset: offBy(random.between(-SKEW_MS, SKEW_MS)),
        onTrip: () => this.#isStale = true,
      })
    );
    this.network = new Network({
      scheduler,
      random: random.fork(),
      servers: this.replicas,
      listener: listener(this),
    });
    this.workers = POOLS.flatMap(({ name: pool, workers }) =>
      Array.from({ length: workers }, (_, at) => {
        const name = `${pool}${at + 1}`;
        const capacity = random.int(2, 6);
        return [name, name + TWIN].map((name) =>
          this.#worker({ name, capacity, random: random.fork() }, pool)
        );
      }).flat()
    );
    this.clients = new Process({ name: "clients", scheduler });
    const operator = new Process({ name: "operator", scheduler });
    const { network } = this;
    this.#operator = new Caller({ process: operator, network, random });
  }

  /** Makes a world on a new database in `folder`; nothing runs in it yet. */
  static async create(
    { random, trace, folder, listener }: {
      readonly random: Random;
      readonly trace: Trace;
      readonly folder: string;
      readonly listener: (world: World) => Listener;
    },
  ): Promise<World> {
    const url = `file:${folder}/grid.db`;
    const database = await openDatabase(url);
    await migrate(database, await readAllMigrations(APPS), { now: 0 });
    const { client } = database;
    const ledger = await Ledger.open(client);
    return new World({ random, trace, client, ledger, url, folder, listener });
  }

  /** The copy of a worker's machine. */
  findTwin({ machine }: SimWorker): SimWorker | undefined {
    const name = machine.name + TWIN;
    return this.workers.find((worker) => worker.machine.name === name);
  }

  /** Returns the servers' wall-clock time. */
  serverNow(): number {
    return this.clients.clock.now() + this.#wallOffset;
  }

  /** Sets the servers' wall clock `ms` off the true time. */
  jump(ms: number): void {
    this.#wallOffset = ms;
    this.#jumpedAt = this.scheduler.now;
  }

  /** Sends an operator's request until it is answered. */
  order(method: string, path: string, body: unknown = {}): void {
    void this.#operator.insist(method, path, { body, tries: 100 })
      .catch((error) => this.fail(error));
  }

  log(what: string): void {
    this.trace.add(this.scheduler.now, what);
  }

  /** Reports whether a server has been healthy for `ms`, with its database and a steady clock. */
  isWell(ms: number): boolean {
    return this.#haveLasted(ms, this.replicas.map((each) => each.wellSince));
  }

  /** Reports whether such a server could also be reached for `ms`. */
  isReachable(ms: number): boolean {
    return this.#haveLasted(
      ms,
      this.replicas.map(({ name, wellSince }) =>
        Math.max(wellSince, this.network.reachedSince(name))
      ),
    );
  }

  /** Returns true if the first of `since`, and the last jump of the clock, are more than `ms` ago. */
  #haveLasted(ms: number, since: readonly number[]): boolean {
    const { now } = this.scheduler;
    return now - Math.max(Math.min(...since), this.#jumpedAt) > ms;
  }

  /** Brings the ledger up to date, if something was written. */
  async news(): Promise<Awaited<ReturnType<Ledger["read"]>> | undefined> {
    if (!this.#isStale) return undefined;
    this.#isStale = false;
    const news = await this.ledger.read();
    if (news.changes.length > 0) await this.#learnWorkers();
    return news;
  }

  /** Enters a pool that was made. */
  poolMade(id: string, plan: PoolPlan): void {
    this.#pools.set(id, plan);
  }

  findPool(id: string): PoolPlan {
    const pool = this.#pools.get(id);
    if (!pool) throw new TypeError(`Cannot find pool ${id}`);
    return pool;
  }

  workerName(workerId: string): string | undefined {
    return this.#names.get(workerId);
  }

  /** Capacity of the machine of a worker. */
  readCapacity(workerId: string): number {
    const name = this.workerName(workerId);
    return this.workers.find((worker) => worker.name === name)?.machine
      .capacity ?? 0;
  }

  /** Runs SQL outside the program. */
  async meddle(sql: string): Promise<void> {
    await this.#client.executeMultiple(sql);
  }

  /** Ends the run with `error`: the first one counts. */
  fail(error: unknown): void {
    this.#failure ??= error ?? new TypeError("Failed without an error");
  }

  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  [Symbol.dispose](): void {
    for (const replica of this.replicas) replica.kill();
    for (const worker of this.workers) worker.kill();
    this.#client.close();
  }

  #worker(plan: Omit<MachinePlan, "scheduler">, pool: string): SimWorker {
    const { scheduler, network } = this;
    const { random, name } = plan;
    const hoursOff = random.int(-5, 5);
    const machine = new Machine({ ...plan, scheduler });
    // Fast machines show other faults than slow ones.
    machine.habits.slowestMs = random.pick([500, 2_000, 30_000]);
    return new SimWorker({
      name: name.replace(TWIN, ""),
      isWanted: !name.endsWith(TWIN),
      machine,
      pool,
      scheduler,
      random,
      network,
      wallOffset: () => hoursOff * 3_600_000,
      onServing: (newest) => this.#supersede(newest),
      log: (what) => this.log(what),
    });
  }

  /** Marks earlier processes of the worker of `newest` as replaced. */
  #supersede(newest: SimWorker): void {
    for (const other of this.workers) {
      const isSame = other.name === newest.name && other !== newest;
      if (isSame && other.process) other.process.isSuperseded = true;
    }
  }

  async #learnWorkers(): Promise<void> {
    const { rows } = await this.#client.execute(
      "SELECT id, name FROM workers",
    );
    for (const { id, name } of rows) {
      this.trace.name(String(id), `worker-${name}`);
      this.#names.set(String(id), String(name));
    }
  }
}
