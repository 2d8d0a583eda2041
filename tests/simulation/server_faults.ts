import {
  type Fault,
  type Injected,
  LEASE,
  LONG,
  SHORT,
  some,
} from "./fault.ts";
import { POOLS } from "./pools.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** Faults of servers, their clock and their database, and what operators order. */
export const SERVER_FAULTS = {
  pool_pause: (world, random) => setPool(world, random, "pause"),
  pool_drain: (world, random) => setPool(world, random, "drain"),
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
} as const satisfies Record<string, Fault>;

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

function pickReplica({ replicas }: World, random: Random) {
  const there = replicas.filter(({ process }) => process?.isRunning);
  return there.length > 0 ? random.pick(there) : undefined;
}
