import { type Fault, LEASE, LONG, SHORT, some } from "./fault.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** Faults of workers' processes and their way to the servers. */
export const WORKER_FAULTS = {
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
    const twin = worker && world.findTwin(worker);
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
} as const satisfies Record<string, Fault>;

function pickWorker({ workers }: World, random: Random) {
  const there = workers.filter(({ process }) => process?.isRunning);
  return there.length > 0 ? random.pick(there) : undefined;
}
