import { systemClock } from "../../src/async/clock.ts";
import {
  type ChaosWorkerOptions,
  GRACE_SECONDS,
  kill,
  LEASE_SECONDS,
  signal,
} from "../support/chaos_grid.ts";
import { lockDatabase } from "../support/database_lock.ts";
import { docker } from "../support/docker.ts";
import { eventually } from "../support/eventually.ts";
import { startNode } from "../support/node_process.ts";
import type { Scene } from "./scene.ts";

const LEASE_MS = LEASE_SECONDS * 1_000;
const LOCK_MS = 5_000;

/** An accident, and what people would do about it. */
export interface Fault {
  readonly name: string;
  /** Resolves when all that was killed has been started again, and what was cut is whole. */
  inject(scene: Scene): Promise<void>;
}

/** Every fault that a machine with or without a Docker engine can have while its grid goes on. */
export function listFaults(scene: Scene): readonly Fault[] {
  return scene.containers ? [...FAULTS, ...CONTAINER_FAULTS] : FAULTS;
}

const FAULTS: readonly Fault[] = [
  {
    name: "a server is killed and restarted",
    async inject({ grid }) {
      await kill(grid.server);
      await grid.startServer();
    },
  },
  {
    name: "a server is killed and away for half the grace",
    async inject(scene) {
      await kill(scene.second.process);
      await systemClock.sleep(GRACE_SECONDS * 1_000 / 2);
      await scene.startSecond();
    },
  },
  {
    name: "a worker is killed and restarted",
    inject: (scene) => killWorker(scene, scene.linked, 0),
  },
  {
    name: "a worker is killed and away for longer than its lease",
    inject: (scene) => killWorker(scene, scene.direct, LEASE_MS * 1.5),
  },
  {
    name: "a worker is stopped for longer than its lease and woken",
    async inject(scene) {
      const { process } = scene.worker(scene.linked);
      signal(process, "SIGSTOP");
      await systemClock.sleep(LEASE_MS * 1.5);
      signal(process, "SIGCONT");
    },
  },
  {
    name: "a worker is cut off for a third of its lease",
    inject: (scene) => cutOff(scene, LEASE_MS / 3),
  },
  {
    name: "a worker is cut off for longer than its lease",
    inject: (scene) => cutOff(scene, LEASE_MS * 1.5),
  },
  {
    name: "a browser is killed",
    async inject({ grid }) {
      const pid = await eventually(
        "a browser runs",
        async () => (await grid.browserPids())[0],
      );
      killProcess(pid);
    },
  },
  {
    name: "a client is killed",
    async inject({ grid }) {
      await using client = await startNode(
        `import puppeteer from "puppeteer-core";
         await puppeteer.connect({
           browserWSEndpoint: "${grid.url.replace("http", "ws")}/v1/connect",
         });
         console.log("connected");
         setInterval(() => {}, 1_000);`,
      );
      await client.line();
    },
  },
  {
    name: "the database is locked for 5 s",
    async inject({ grid }) {
      await using lock = await eventually(
        "the database can be locked",
        () => lockDatabase(grid.databasePath),
      );
      await systemClock.sleep(LOCK_MS);
      await lock.release();
    },
  },
  {
    name: "everything is killed at once and restarted",
    async inject(scene) {
      const { grid, second } = scene;
      const { workers } = grid;
      await kill(
        ...[grid.server, second.process],
        ...workers.map(({ process }) => process),
      );
      for (const pid of await grid.browserPids()) killProcess(pid);
      await Promise.all([grid.startServer(), scene.startSecond()]);
      await Promise.all(
        workers.map(({ options }) => grid.startWorker(options)),
      );
    },
  },
];

const CONTAINER_FAULTS: readonly Fault[] = [
  {
    name: "a container is killed",
    async inject({ grid }) {
      const id = await eventually("a container runs", async () => {
        const traces = await grid.traces();
        return traces.map(({ text }) =>
          /container (\w+) \(running\)/.exec(text)?.[1]
        ).find((found) => found !== undefined);
      });
      // The process may have ended before the signal.
      await docker.getContainer(id).kill().catch(() => {});
    },
  },
  {
    name: "the worker of containers is killed and restarted",
    async inject(scene) {
      if (scene.containers) await killWorker(scene, scene.containers, 0);
    },
  },
];

async function killWorker(
  scene: Scene,
  options: ChaosWorkerOptions,
  awayMs: number,
): Promise<void> {
  await kill(scene.worker(options).process);
  await systemClock.sleep(awayMs);
  await scene.grid.startWorker(options);
}

async function cutOff({ link }: Scene, forMs: number): Promise<void> {
  link.hang();
  await systemClock.sleep(forMs);
  await link.restore();
}

function killProcess(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // The process has ended.
  }
}
