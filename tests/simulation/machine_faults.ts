import { type Fault, LEASE, LONG, SHORT, some } from "./fault.ts";

/** Faults of browsers and of what runs them. */
export const MACHINE_FAULTS = {
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
