import { z } from "@hono/zod-openapi";
import { attend } from "./attended_user.ts";
import { Caller } from "./caller.ts";
import { Ending } from "./ending.ts";
import { FaultSchedule } from "./fault_schedule.ts";
import type { FaultName } from "./faults.ts";
import { Invariants } from "./invariants.ts";
import { listenIn } from "./listen_in.ts";
import { memoryFolder } from "./memory_folder.ts";
import { createRandom, type Random } from "./random.ts";
import type { Sabotage } from "./sabotage.ts";
import { seedGlobals } from "./seeded_globals.ts";
import { Trace } from "./trace.ts";
import { User } from "./user.ts";
import { Violation } from "./violation.ts";
import { PROVIDER } from "./sim_provider.ts";
import { POOLS } from "./pools.ts";
import { World } from "./world.ts";

/** Options of a run. */
export interface SimulationOptions {
  readonly seed: number;
  /** Number of requested sessions. */
  readonly sessions: number;
  /** Kinds of faults; by default all. */
  readonly faults?: readonly FaultName[] | undefined;
  /** Told of every line of the trace. */
  readonly sink?: ((line: string) => void) | undefined;
  /** Breaks the world before it begins: to show that the simulation sees it. */
  readonly sabotage?: Sabotage | undefined;
}

/** Result of a run. */
export interface Outcome {
  readonly asked: number;
  /** Number of sessions, including those whose response was lost. */
  readonly made: number;
  readonly accepted: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly faults: ReadonlyMap<FaultName, number>;
  /** Time from the end of the last fault until every rule held. */
  readonly cleanAfterMs: number;
  /** Longest time that a browser has outlived its session, while its worker could see to it. */
  readonly outlivedMs: number;
  /** Longest time that a session was held without a browser, likewise. */
  readonly emptyMs: number;
  /** The same for the same history. */
  readonly digest: string;
}

/** A run that broke a rule, with what a person needs to look into it. */
export class SimulationFailure extends Error {
  override readonly name = "SimulationFailure";
  /** The rule that was broken; undefined: it is the simulation that failed. */
  readonly rule: string | undefined;

  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.rule = cause instanceof Violation ? cause.rule : undefined;
  }
}

/** Mean time between two users. */
const ARRIVAL_MS = 500;

/** Longest part of a run. */
const LONGEST_MS = 4 * 3_600_000;

/** Share of users who connect, and for whom the session ends with their connection. */
const CONNECTED = 0.1;

const madeSchema = z.object({ id: z.string() });

/**
 * Runs the grid through faults, and checks its invariants after every step.
 *
 * @throws {SimulationFailure} When one does not hold; running it again with the same seed breaks it again.
 */
export async function simulate(options: SimulationOptions): Promise<Outcome> {
  const trace = new Trace(options.sink);
  const random = createRandom(options.seed);
  using _globals = seedGlobals(random.fork());
  await using folder = await memoryFolder();
  using world = await World.create({
    random: random.fork(),
    trace,
    folder: folder.path,
    listener: listenIn,
  });
  await options.sabotage?.(world);
  const invariants = new Invariants(world);
  const run = new Run(world, invariants, random);
  try {
    return await run.run(options);
  } catch (error) {
    throw toFailure(error, world, options);
  }
}

class Run {
  readonly #world: World;
  readonly #invariants: Invariants;
  readonly #random: Random;

  constructor(world: World, invariants: Invariants, random: Random) {
    this.#world = world;
    this.#invariants = invariants;
    this.#random = random;
  }

  async run({ sessions, faults: only }: SimulationOptions): Promise<Outcome> {
    const world = this.#world;
    await this.#drive(this.#setUp());
    const faults = new FaultSchedule(world, this.#random.fork(), only);
    const users: Promise<void>[] = [];
    await this.#drive(this.#arrive(sessions, users));
    faults.stop();
    const ending = new Ending(world, this.#random.fork());
    const cleanAfterMs = await this.#drive(
      Promise.all(users).then(() => ending.run()),
    );
    await this.#drive(this.#leave());
    return {
      asked: sessions,
      made: world.ledger.sessions.size,
      accepted: world.accepted.size,
      steps: world.scheduler.steps,
      virtualMs: world.scheduler.now,
      faults: faults.counts,
      cleanAfterMs,
      ...this.#invariants.leaks.longest,
      digest: world.trace.digest(),
    };
  }

  /** Lets time pass until `work`, which waits for it, is done. */
  async #drive<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    void work.catch((error) => this.#world.fail(error)).finally(() =>
      isOver = true
    );
    const { scheduler } = this.#world;
    const begun = scheduler.now;
    while (!isOver) {
      const isAlive = await scheduler.step();
      await this.#invariants.afterStep();
      this.#world.throwFailure();
      const isLate = !isAlive || scheduler.now - begun > LONGEST_MS;
      if (isLate && !isOver) {
        throw new Violation("Nothing waits indefinitely", "a run does not end");
      }
    }
    return await work;
  }

  async #setUp(): Promise<void> {
    const { scheduler, replicas, workers, clients, network } = this.#world;
    const api = new Caller({ process: clients, network, random: this.#random });
    for (const replica of replicas) scheduler.after(0, () => replica.start());
    for (const plan of POOLS) {
      const { workers: _, ...limits } = plan;
      const made = await api.insist("POST", "/workerpool/pools", {
        body: { ...limits, provider_type: PROVIDER },
      });
      const { id } = madeSchema.parse(made?.body);
      this.#world.trace.name(id, `pool-${plan.name}`);
      this.#world.poolMade(id, plan);
    }
    for (const worker of workers) worker.start();
  }

  async #arrive(count: number, users: Promise<void>[]): Promise<void> {
    const pools = POOLS.map(({ name }) => name);
    const { clients } = this.#world;
    for (let each = 1; each <= count; each++) {
      const random = this.#random.fork();
      const name = String(each);
      const fail = (error: unknown) => this.#world.fail(error);
      // Connected clients end with their server, so the run does not wait for them.
      if (this.#random.chance(CONNECTED)) {
        void attend(this.#world, random).catch(fail);
      } else {
        const user = new User(this.#world, { random, name, pools });
        users.push(user.live().catch(fail));
      }
      await clients.clock.sleep(this.#random.exponential(ARRIVAL_MS));
    }
  }

  /** Everybody goes home, and nothing is left that waits. */
  async #leave(): Promise<void> {
    const { workers, replicas } = this.#world;
    for (const worker of workers) worker.isWanted = false;
    await Promise.all(workers.map((worker) => worker.stop()));
    await Promise.all(replicas.map((replica) => replica.stop()));
    const left = [...workers.map(({ process }) => process)].filter((process) =>
      (process?.timers ?? 0) > 0
    );
    if (left.length > 0) {
      throw new Violation(
        "A worker that has left waits for nothing",
        left.map((process) => `${process?.name}: ${process?.timers} timers`)
          .join(", "),
      );
    }
  }
}

function toFailure(
  error: unknown,
  { trace, scheduler }: World,
  { seed, sessions }: SimulationOptions,
): SimulationFailure {
  const what = error instanceof Violation
    ? trace.named(error.message)
    : error instanceof Error
    ? error.stack ?? error.message
    : String(error);
  return new SimulationFailure(
    [
      what,
      `Seed ${seed}, step ${scheduler.steps}, ${
        scheduler.now / 1_000
      } s. The last that happened:`,
      ...trace.last,
      `To see it again: deno task simulate --seed ${seed} --sessions ${sessions}`,
    ].join("\n"),
    error,
  );
}
