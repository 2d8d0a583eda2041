/**
 * Compares claims with a model: a pool, its queue and its workers as plain values. Both receive the same commands in any
 * order.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Api, createApiClient } from "../../../../support/api.ts";
import { testGrid } from "../../../../support/grid.ts";

interface Queued {
  readonly id: string;
  readonly priority: number;
}

interface ModelWorker {
  readonly capacity: number;
  readonly held: Map<string, number>;
  isDraining: boolean;
}

interface Model {
  readonly maxSessions: number | null;
  isActive: boolean;
  readonly queue: Queued[];
  readonly workers: Map<string, ModelWorker>;
}

interface Real {
  readonly api: Api;
}

type Step = fc.AsyncCommand<Model, Real>;

/** Returns the sessions that the model assigns to a worker, in order. */
function expected(model: Model, worker: ModelWorker, count: number): string[] {
  if (!model.isActive || worker.isDraining) return [];
  const live = [...model.workers.values()].reduce(
    (sum, { held }) => sum + held.size,
    0,
  );
  const room = Math.min(
    count,
    worker.capacity - worker.held.size,
    (model.maxSessions ?? Infinity) - live,
  );
  const order = [...model.queue].sort((a, b) =>
    b.priority - a.priority || (a.id < b.id ? -1 : 1)
  );
  return order.slice(0, Math.max(0, room)).map(({ id }) => id);
}

function nth<T>(items: Iterable<T>, at: number): T | undefined {
  const all = [...items];
  return all.length === 0 ? undefined : all[at % all.length];
}

class Create implements Step {
  constructor(priority: number) {
    this.priority = priority;
  }
  readonly priority: number;
  check = ({ isActive }: Readonly<Model>) => isActive;
  async run(model: Model, { api }: Real): Promise<void> {
    const { id } = await api.session({ priority: this.priority });
    model.queue.push({ id, priority: this.priority });
  }
  toString = () => `create(${this.priority})`;
}

class Claim implements Step {
  constructor(worker: number, count: number, repeated: boolean) {
    this.worker = worker;
    this.count = count;
    this.repeated = repeated;
  }
  readonly worker: number;
  readonly count: number;
  readonly repeated: boolean;
  check = ({ workers }: Readonly<Model>) => workers.size > 0;
  async run(model: Model, { api }: Real): Promise<void> {
    const [id = "", worker] = nth(model.workers, this.worker) ?? [];
    assert.ok(worker);
    const wanted = expected(model, worker, this.count);
    const path = `/workerpool/workers/${id}/claim-session`;
    const body = { request_id: crypto.randomUUID(), count: this.count };
    // Two concurrent claims with one id: one with a lost response, and its repetition.
    const answers = await Promise.all(
      (this.repeated ? [0, 1] : [0]).map(() => api.call("POST", path, body)),
    );
    for (const { status, body: given } of answers) {
      const sessions = status === 204 ? [] : given.sessions;
      assert.deepEqual(sessions.map((each: { id: string }) => each.id), wanted);
      for (const { id, fencing_token } of sessions) {
        worker.held.set(id, fencing_token);
      }
    }
    for (const id of wanted) {
      model.queue.splice(model.queue.findIndex((each) => each.id === id), 1);
    }
  }
  toString = () =>
    `claim(${this.worker}, ${this.count}${this.repeated ? ", twice" : ""})`;
}

class Report implements Step {
  constructor(worker: number, status: "completed" | "running" | "crashed") {
    this.worker = worker;
    this.status = status;
  }
  readonly worker: number;
  readonly status: "completed" | "running" | "crashed";
  check = ({ workers }: Readonly<Model>) =>
    [...workers.values()].some(({ held }) => held.size > 0);
  async run(model: Model, { api }: Real): Promise<void> {
    const busy = [...model.workers].filter(([, { held }]) => held.size > 0);
    const [workerId = "", worker] = nth(busy, this.worker) ?? [];
    const [id = "", fencing_token = 0] = nth(worker?.held ?? [], 0) ?? [];
    const held = { id, fencing_token };
    assert.equal(await api.report(workerId, held, this.status), "accepted");
    if (this.status !== "running") worker?.held.delete(id);
  }
  toString = () => `report(${this.worker}, ${this.status})`;
}

class Toggle implements Step {
  constructor(worker?: number) {
    this.worker = worker;
  }
  readonly worker: number | undefined;
  check = () => true;
  async run(model: Model, { api }: Real): Promise<void> {
    if (this.worker === undefined) {
      model.isActive = !model.isActive;
      const verb = model.isActive ? "resume" : "pause";
      await api.call("POST", `/workerpool/pools/pool/${verb}`);
      return;
    }
    const [id, worker] = nth(model.workers, this.worker) ?? [];
    if (!worker) return;
    worker.isDraining = !worker.isDraining;
    const verb = worker.isDraining ? "drain" : "resume";
    await api.call("POST", `/workerpool/workers/${id}/${verb}`);
  }
  toString = () => `toggle(${this.worker ?? "pool"})`;
}

const steps = [
  fc.integer({ min: -2, max: 2 }).map((priority) => new Create(priority)),
  fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 4 }), fc.boolean()).map((
    [worker, count, repeated],
  ) => new Claim(worker, count, repeated)),
  fc.tuple(
    fc.nat(9),
    fc.constantFrom(
      "completed" as const,
      "running" as const,
      "crashed" as const,
    ),
  ).map(([worker, status]) => new Report(worker, status)),
  fc.option(fc.nat(9), { nil: undefined }).map((worker) => new Toggle(worker)),
];

Deno.test("claims assign the same sessions as the model: by priority, then age, within every limit, each session once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
      fc.option(fc.integer({ min: 1, max: 5 })),
      fc.commands(steps, { maxCommands: 40, size: "max" }),
      async (capacities, maxSessions, commands) => {
        await using grid = await testGrid();
        const api = createApiClient(grid);
        await api.pool({ max_sessions: maxSessions });
        const workers = new Map<string, ModelWorker>();
        for (const capacity of capacities) {
          const id = await api.worker({ capacity });
          workers.set(id, { capacity, held: new Map(), isDraining: false });
        }
        const model: Model = {
          maxSessions,
          isActive: true,
          queue: [],
          workers,
        };
        await fc.asyncModelRun(() => ({ model, real: { api } }), commands);
      },
    ),
    { numRuns: 40 },
  );
});
