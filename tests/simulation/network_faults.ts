import { type Fault, LEASE, SHORT, some } from "./fault.ts";

/** Faults of messages. */
export const NETWORK_FAULTS = {
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
} as const satisfies Record<string, Fault>;
