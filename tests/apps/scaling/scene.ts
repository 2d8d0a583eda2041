import { keysApp } from "../../../src/apps/keys/app.ts";
import { Scaler } from "../../../src/apps/scaling/scaler.ts";
import { machines } from "../../../src/apps/scaling/models.ts";
import { type Api, createApiClient } from "../../support/api.ts";
import { createFakeClock, type FakeClock } from "../../support/clock.ts";
import {
  createFakeMachines,
  type FakeMachines,
} from "../../support/fake_machines.ts";
import {
  type TestGrid,
  testGrid,
  type TestGridOptions,
} from "../../support/grid.ts";

/** A grid with a pool "pool" on fake machines, whose scaler makes a pass only on request. */
export interface ScalingScene extends AsyncDisposable {
  readonly grid: TestGrid;
  readonly api: Api;
  readonly clock: FakeClock;
  readonly fake: FakeMachines;
  readonly scaler: Scaler;
  /** Makes passes until nothing follows from them at this moment. */
  pass(): Promise<void>;
  /** Advances the clock in steps with a pass each, while the workers send heartbeats. */
  advance(ms: number): Promise<void>;
  /** Registers the worker of a machine. */
  register(workerId: string): Promise<void>;
  /** Lets a worker leave, which ends its machine. */
  leave(workerId: string): Promise<void>;
  /** Registers the workers of all machines that are there. */
  registerAll(): Promise<void>;
  /** Statuses of the machines in the order of their requests. */
  statuses(): Promise<readonly string[]>;
  pressure(): Promise<Awaited<ReturnType<Api["call"]>>["body"]>;
  /** Type and reason of the machines' events. */
  events(): Promise<readonly string[]>;
}

/** Options of {@linkcode setScene}. */
export interface SceneOptions extends Omit<TestGridOptions, "providers"> {
  readonly pool?: Readonly<Record<string, unknown>>;
  /** Headers of every request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Creates another scaler over the database of a grid, as another server has one. */
export function createScaler(
  grid: Pick<TestGrid, "core" | "keys" | "pools" | "workers">,
  keys = grid.keys(),
): Scaler {
  return new Scaler({
    core: { ...grid.core, use: () => reject() },
    keys,
    pools: grid.pools,
    workers: grid.workers,
    providers: ["machines"],
  });
}

function reject(): never {
  throw new TypeError(`Expected no use of an app such as ${keysApp.name}`);
}

/** Sets the scene. */
export async function setScene(
  { pool = {}, headers = {}, ...options }: SceneOptions = {},
): Promise<ScalingScene> {
  const clock = createFakeClock();
  const fake = createFakeMachines();
  await using stack = new AsyncDisposableStack();
  const grid = stack.use(
    await testGrid({
      clock,
      ...options,
      settings: { public_url: "https://grid.example", ...options.settings },
      providers: [fake.provider],
    }),
  );
  const api = createApiClient(grid, headers);
  await api.pool({ provider_type: "machines", ...pool });
  const scaler = stack.use(createScaler(grid));
  const registered = new Set<string>();
  async function pass(): Promise<void> {
    for (let round = 0; round < 4; round++) {
      await scaler.runOnce();
      await scaler.settle();
    }
  }
  async function register(id: string): Promise<void> {
    await api.worker({ id, capacity: fake.knobs.capacity });
    fake.machines.set(id, { workerId: id, status: "running" });
    registered.add(id);
    // Each worker is younger than the one before.
    clock.advance(1);
  }
  const owned = stack.move();
  return {
    grid,
    api,
    clock,
    fake,
    scaler,
    pass,
    register,
    async advance(ms) {
      for (let passed = 0; passed < ms; passed += 10_000) {
        clock.advance(10_000);
        for (const id of registered) {
          if (fake.machines.get(id)?.status !== "running") continue;
          await api.call("PUT", `/workerpool/workers/${id}/heartbeat`, {
            sessions: [],
          });
        }
        await grid.workers.markLost();
        await pass();
      }
    },
    async leave(id) {
      await api.call("PUT", `/workerpool/workers/${id}/heartbeat`, {
        sessions: [],
        status: "offline",
      });
      fake.machines.set(id, { workerId: id, status: "ended" });
    },
    async registerAll() {
      for (const id of fake.machines.keys()) {
        if (!registered.has(id)) await register(id);
      }
      await pass();
    },
    async statuses() {
      const rows = await grid.core.db.orm.select().from(machines)
        .orderBy(machines.workerId);
      return rows.map(({ status }) => status);
    },
    pressure: async () =>
      (await api.call("GET", "/workerpool/pools/pool/pressure")).body,
    async events() {
      const { body } = await api.call(
        "GET",
        "/events?type=pool.*&limit=1000",
      );
      return body.items.filter(({ type }: { type: string }) =>
        type.includes("machine")
      ).map(
        (event: { type: string; data: { reason?: string } }) =>
          [event.type.replace("pool.machine_", ""), event.data.reason]
            .filter((part) => part !== undefined).join(": "),
      );
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
