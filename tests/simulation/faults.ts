import type { Random } from "./random.ts";
import { POOLS, type World } from "./world.ts";

/** A fault that was injected. */
interface Injected {
  /** What it was done to, for the trace. */
  readonly where: string;
  readonly lastsMs: number;
  /** Undone by a later step. */
  readonly end: () => void | Promise<void>;
}

/** Injects one fault, if there is something to inject it into. */
type Fault = (world: World, random: Random) => Injected | undefined;

const [SHORT, LEASE, LONG] = [3_000, 40_000, 160_000];

/** Every kind of fault. Each undoes itself. */
export const FAULTS = {
  worker_crash(world, random) {
    const worker = pickWorker(world, random);
    worker?.kill();
    return worker && {
      where: worker.machine.name,
      lastsMs: some(random, 500, LEASE, LONG),
      end: () => worker.start(),
    };
  },
  worker_pause(world, random) {
    const worker = pickWorker(world, random);
    const process = worker?.process;
    process?.pause();
    return worker && {
      where: worker.machine.name,
      lastsMs: some(random, SHORT, LEASE, LONG),
      end: () => process?.wake(),
    };
  },
  worker_partition(world, random) {
    const free = world.workers.filter(({ machine }) =>
      !world.network.isCut(machine.name)
    );
    if (free.length === 0) return undefined;
    const { name } = random.pick(free).machine;
    world.network.cut(name);
    return {
      where: name,
      lastsMs: some(random, SHORT, LEASE, LONG),
      end: () => world.network.heal(name),
    };
  },
  worker_drain(world, random) {
    const worker = pickWorker(world, random);
    worker?.drain();
    return worker && {
      where: worker.machine.name,
      lastsMs: 0,
      end: () => {},
    };
  },
  /** A copy of its machine comes up, such as from a backup: the same worker, elsewhere. */
  worker_twin(world, random) {
    const worker = pickWorker(world, random);
    const twin = worker && world.twinOf(worker);
    if (!twin || twin.isWanted) return undefined;
    twin.machine.disk.copy(worker.machine.disk);
    [worker.isWanted, twin.isWanted] = [false, true];
    twin.start();
    return {
      where: worker.machine.name,
      lastsMs: some(random, SHORT, LEASE),
      end() {
        twin.kill();
        for (const browser of twin.machine.browsers) {
          browser.end({ reason: "crashed", detail: "its machine is gone" });
        }
        [worker.isWanted, twin.isWanted] = [true, false];
        worker.start();
      },
    };
  },
  pool_pause: (world, random) => setPool(world, random, "pause"),
  pool_drain: (world, random) => setPool(world, random, "drain"),
  worker_ordered_to_drain(world, random) {
    const worker = pickWorker(world, random);
    const id = worker?.running?.id;
    if (id === undefined) return undefined;
    const path = `/workerpool/workers/${id}`;
    world.order("POST", `${path}/drain`, {
      timeout_seconds: random.between(0, 60),
    });
    return {
      where: worker?.machine.name ?? "",
      lastsMs: some(random, SHORT, LEASE),
      end: () => world.order("POST", `${path}/resume`),
    };
  },
  server_crash(world, random) {
    const replica = pickReplica(world, random);
    if (!replica) return undefined;
    replica.kill();
    world.network.reset(replica);
    return {
      where: replica.name,
      lastsMs: some(random, 500, SHORT, LEASE),
      end: () => replica.start(),
    };
  },
  servers_down(world, random) {
    for (const replica of world.replicas) {
      replica.kill();
      world.network.reset(replica);
    }
    return {
      where: "all",
      lastsMs: some(random, SHORT, LEASE, LONG),
      async end() {
        for (const replica of world.replicas) await replica.start();
      },
    };
  },
  server_pause(world, random) {
    const replica = pickReplica(world, random);
    const process = replica?.process;
    process?.pause();
    return replica && {
      where: replica.name,
      lastsMs: some(random, SHORT, LEASE),
      end: () => process?.wake(),
    };
  },
  server_partition(world, random) {
    const { name } = random.pick(world.replicas);
    if (world.network.isCut(name)) return undefined;
    world.network.cut(name);
    return {
      where: name,
      lastsMs: some(random, SHORT, LEASE),
      end: () => world.network.heal(name),
    };
  },
  database_locked(world, random) {
    for (const replica of world.replicas) {
      replica.reachDatabase({ failure: "SQLITE_BUSY" });
    }
    return {
      where: "all",
      lastsMs: some(random, SHORT, 8_000, LEASE),
      end() {
        for (const replica of world.replicas) {
          replica.reachDatabase({ failure: undefined });
        }
      },
    };
  },
  database_unreachable(world, random) {
    const replica = random.pick(world.replicas);
    replica.reachDatabase({ failure: "HRANA_WEBSOCKET_ERROR" });
    return {
      where: replica.name,
      lastsMs: some(random, SHORT, LEASE),
      end: () => replica.reachDatabase({ failure: undefined }),
    };
  },
  database_answers_lost(world, random) {
    const replica = random.pick(world.replicas);
    replica.reachDatabase({ lostAnswers: random.between(0.02, 0.3) });
    return {
      where: replica.name,
      lastsMs: some(random, SHORT, 15_000),
      end: () => replica.reachDatabase({ lostAnswers: 0 }),
    };
  },
  clock_jump(world, random) {
    world.jump(random.between(-1, 1) * some(random, 60_000, 12 * 3_600_000));
    return {
      where: "servers",
      lastsMs: some(random, 10_000, LEASE, LONG),
      end: () => world.jump(0),
    };
  },
  messages_lost(world, random) {
    const { weather } = world.network;
    weather.loss = random.between(0.05, 0.4);
    return {
      where: "network",
      lastsMs: some(random, SHORT, 20_000),
      end: () => void (weather.loss = 0),
    };
  },
  messages_slow(world, random) {
    const { weather } = world.network;
    weather.latencyMs = random.between(500, 6_000);
    return {
      where: "network",
      lastsMs: some(random, SHORT, 20_000),
      end: () => void (weather.latencyMs = 30),
    };
  },
  messages_twice(world, random) {
    const { weather } = world.network;
    weather.duplicates = random.between(0.1, 0.9);
    return {
      where: "network",
      lastsMs: some(random, SHORT, LEASE),
      end: () => void (weather.duplicates = 0),
    };
  },
  browser_crash(world, random) {
    const running = world.workers.flatMap(({ machine }) =>
      [...machine.browsers].filter(({ phase }) => phase === "running")
    );
    if (running.length === 0) return undefined;
    const browser = random.pick(running);
    browser.end({ reason: "crashed", detail: "signal SIGSEGV" });
    return { where: browser.sessionId, lastsMs: 0, end: () => {} };
  },
  starts_fail(world, random) {
    const { name, habits } = random.pick(world.workers).machine;
    const { failures, hangs, slowestMs } = habits;
    habits.failures = random.between(0, 0.8);
    habits.hangs = random.between(0, 0.5);
    habits.slowestMs = random.between(1_000, 60_000);
    return {
      where: name,
      lastsMs: some(random, SHORT, LEASE),
      end: () => void Object.assign(habits, { failures, hangs, slowestMs }),
    };
  },
  engine_down(world, random) {
    const { machine } = random.pick(world.workers);
    if (machine.engineIsDown) return undefined;
    machine.stopEngine();
    return {
      where: machine.name,
      lastsMs: some(random, SHORT, LEASE, LONG),
      end: () => machine.startEngine(),
    };
  },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;

export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[]; // Its own keys; TypeScript says string.

function setPool(
  world: World,
  random: Random,
  verb: "pause" | "drain",
): Injected {
  const { name } = random.pick(POOLS);
  world.order("POST", `/workerpool/pools/${name}/${verb}`);
  return {
    where: name,
    lastsMs: some(random, SHORT, LEASE),
    end: () => world.order("POST", `/workerpool/pools/${name}/resume`),
  };
}

/** A time about one of `each`. */
function some(random: Random, ...each: readonly number[]): number {
  return random.pick(each) * random.between(0.5, 1.5);
}

function pickWorker({ workers }: World, random: Random) {
  const there = workers.filter(({ process }) => process?.isRunning);
  return there.length > 0 ? random.pick(there) : undefined;
}

function pickReplica({ replicas }: World, random: Random) {
  const there = replicas.filter(({ process }) => process?.isRunning);
  return there.length > 0 ? random.pick(there) : undefined;
}
