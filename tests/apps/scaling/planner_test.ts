import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Plan,
  type PlanInput,
  planMachines,
  type PlannedWorker,
} from "../../../src/apps/scaling/planner.ts";
import { countDemand } from "../../../src/apps/workerpool/wanted_workers.ts";

const CAPACITY = 4;
const SCALE_DOWN_MS = 300_000;

const POOL: PlanInput["pool"] = {
  status: "active",
  minReady: 0,
  maxSessions: null,
  minWorkers: 0,
  maxWorkers: null,
};

const NOTHING: PlanInput = {
  pool: POOL,
  pending: 0,
  held: 0,
  capacity: CAPACITY,
  workers: [],
  starting: 0,
  requested: 0,
  silent: 0,
  canStart: true,
  surplus: undefined,
  now: 1_000_000,
  scaleDownMs: SCALE_DOWN_MS,
};

function worker(
  id: string,
  held = 0,
  fields: Partial<PlannedWorker> = {},
): PlannedWorker {
  return {
    id,
    held,
    capacity: CAPACITY,
    state: "serving",
    hasMachine: true,
    createdAt: Number(id.replace(/\D/g, "")),
    ...fields,
  };
}

/** Input with workers whose sessions are counted as held. */
function having(
  workers: readonly PlannedWorker[],
  fields: Partial<PlanInput> = {},
): PlanInput {
  const held = workers.reduce((sum, each) => sum + each.held, 0);
  return { ...NOTHING, workers, held, ...fields };
}

const LASTED = { since: NOTHING.now - SCALE_DOWN_MS, least: 100 };

Deno.test("planMachines() starts as many machines at once as hold the queue", () => {
  assert.equal(planMachines({ ...NOTHING, pending: 9 }).start, 3);
  const one = having([worker("w1", 4)], { pending: 1 });
  assert.equal(planMachines(one).start, 1);
  assert.equal(planMachines({ ...one, starting: 1 }).start, 0);
  assert.equal(planMachines({ ...one, requested: 1 }).start, 0);
  assert.equal(planMachines({ ...one, canStart: false }).start, 0);
});

Deno.test("planMachines() keeps min_workers, has room for min_ready, and exceeds neither max_sessions nor max_workers", () => {
  const plan = (
    pool: Partial<PlanInput["pool"]>,
    fields: Partial<PlanInput> = {},
  ) => planMachines({ ...NOTHING, ...fields, pool: { ...POOL, ...pool } });
  assert.equal(plan({ minWorkers: 2 }).start, 2);
  assert.equal(plan({ minReady: 5 }).start, 2);
  assert.equal(plan({ maxSessions: 3 }, { pending: 50 }).start, 1);
  assert.equal(plan({ maxWorkers: 2 }, { pending: 50 }).start, 2);
  assert.equal(plan({ maxWorkers: 2 }, { pending: 50 }).wanted, 2);
  assert.equal(plan({}, { pending: 5_000 }).start, 100);
  const paused = plan({ status: "paused", minWorkers: 2, minReady: 5 }, {
    pending: 50,
  });
  assert.deepEqual([paused.start, paused.wanted], [0, 0]);
});

Deno.test("planMachines() counts workers that leave or are silent toward max_workers", () => {
  const pool = { ...POOL, maxWorkers: 3 };
  const workers = [worker("w1", 4), worker("w2", 2, { state: "leaving" })];
  assert.equal(planMachines(having(workers, { pool, pending: 50 })).start, 1);
  const silent = having(workers, { pool, pending: 50, silent: 1 });
  assert.equal(planMachines(silent).start, 0);
});

Deno.test("planMachines() drains only after a surplus has lasted, and then as many as were in excess all the time", () => {
  const idle = having([worker("w1", 1), worker("w2"), worker("w3")]);
  const first = planMachines(idle);
  assert.deepEqual(first.surplus, { since: idle.now, least: 2 });
  assert.deepEqual(first.drain, []);
  const busier = planMachines({
    ...idle,
    pending: 4,
    now: idle.now + 10,
    surplus: first.surplus,
  });
  assert.deepEqual(busier.surplus, { since: idle.now, least: 1 });
  const later = planMachines({
    ...idle,
    now: idle.now + SCALE_DOWN_MS,
    surplus: busier.surplus,
  });
  assert.deepEqual(later.drain, ["w3"]);
  assert.deepEqual(later.surplus, {
    since: idle.now + SCALE_DOWN_MS,
    least: 1,
  });
  const needed = planMachines({ ...idle, pending: 8, surplus: first.surplus });
  assert.equal(needed.surplus, undefined);
});

Deno.test("planMachines() drains idle workers first, then those with the fewest sessions, the youngest of equals first", () => {
  const workers = [
    worker("w1", 1),
    worker("w2"),
    worker("w3"),
    worker("w4", 2),
    worker("w5", 1),
  ];
  assert.deepEqual(
    planMachines(having(workers, { surplus: LASTED })).drain,
    ["w3", "w2", "w5", "w1"],
  );
  const full = [worker("w1", 3), worker("w2", 3)];
  assert.deepEqual(planMachines(having(full, { surplus: LASTED })).drain, []);
});

Deno.test("planMachines() never drains a worker that the server has not started", () => {
  const workers = [worker("w1", 0, { hasMachine: false }), worker("w2")];
  const pool = { ...POOL, minWorkers: 1 };
  const plan = planMachines(having(workers, { pool, surplus: LASTED }));
  assert.deepEqual(plan.drain, ["w2"]);
});

Deno.test("planMachines() withdraws drains of workers with sessions before it starts a machine", () => {
  const workers = [
    worker("w1", 4),
    worker("w2", 1, { state: "drained" }),
    worker("w3", 2, { state: "drained" }),
    worker("w4", 0, { state: "drained" }),
    worker("w5", 2, { state: "leaving" }),
  ];
  const plan = planMachines(having(workers, { pending: 3 }));
  assert.deepEqual([plan.resume, plan.start], [["w3", "w2"], 0]);
});

Deno.test("planMachines() withdraws requested machines that are not needed any more, and never those that start", () => {
  const plan = planMachines({ ...NOTHING, requested: 2, starting: 3 });
  assert.equal(plan.withdraw, 2);
  const one = planMachines({
    ...NOTHING,
    pending: 13,
    requested: 2,
    starting: 3,
  });
  assert.equal(one.withdraw, 1);
});

Deno.test("planMachines() drains to a max_workers that was lowered, although sessions wait", () => {
  const pool = { ...POOL, maxWorkers: 1 };
  const workers = [worker("w1", 4), worker("w2", 3)];
  const plan = planMachines(
    having(workers, { pool, pending: 9, surplus: LASTED }),
  );
  assert.deepEqual([plan.drain, plan.start], [["w2"], 0]);
});

const workerArbitrary = fc.record({
  held: fc.integer({ min: 0, max: CAPACITY }),
  state: fc.constantFrom("serving", "serving", "drained", "leaving"),
  hasMachine: fc.boolean(),
  createdAt: fc.integer({ min: 0, max: 20 }),
});

const limit = (max: number) => fc.option(fc.integer({ min: 0, max }));

const inputArbitrary: fc.Arbitrary<PlanInput> = fc.record({
  pool: fc.record({
    status: fc.constantFrom("active", "active", "paused", "draining"),
    minReady: fc.integer({ min: 0, max: 9 }),
    maxSessions: limit(40),
    minWorkers: fc.integer({ min: 0, max: 5 }),
    maxWorkers: limit(9),
  }),
  pending: fc.integer({ min: 0, max: 40 }),
  workers: fc.array(workerArbitrary, { maxLength: 8 }),
  starting: fc.integer({ min: 0, max: 4 }),
  requested: fc.integer({ min: 0, max: 4 }),
  silent: fc.integer({ min: 0, max: 2 }),
  canStart: fc.boolean(),
  age: fc.option(fc.integer({ min: 0, max: 2 * SCALE_DOWN_MS })),
  least: fc.integer({ min: 1, max: 8 }),
}).map(({ workers, age, least, ...fields }) =>
  having(
    workers.map((each, at) => ({ ...worker(`w${at}`), ...each })),
    {
      ...fields,
      surplus: age === null ? undefined : { since: NOTHING.now - age, least },
    },
  )
);

/** Returns the state after the plan was carried out and its machines have started. */
function carryOut(input: PlanInput, plan: Plan): PlanInput {
  const { start, withdraw, resume, drain, surplus } = plan;
  return {
    ...input,
    surplus,
    starting: input.starting + start,
    requested: input.requested - withdraw,
    workers: input.workers.map((each) => ({
      ...each,
      state: resume.includes(each.id)
        ? "serving"
        : drain.includes(each.id)
        ? "drained"
        : each.state,
    })),
  };
}

function serving({ workers }: PlanInput) {
  return workers.filter(({ state }) => state === "serving");
}

Deno.test("planMachines() keeps its promises for any pool", () => {
  fc.assert(
    fc.property(inputArbitrary, (input) => {
      const plan = planMachines(input);
      const { start, withdraw, resume, drain, surplus } = plan;
      const { pool, workers, starting, requested, silent } = input;
      const max = pool.maxWorkers ?? 100;
      const min = pool.status === "active" ? Math.min(pool.minWorkers, max) : 0;

      assert.ok(start >= 0 && withdraw >= 0 && withdraw <= requested);
      const all = workers.length + starting + requested + silent;
      assert.ok(start === 0 || all + start <= max, "more than max_workers");
      assert.ok(start === 0 || input.canStart, "started during a pause");
      assert.ok(plan.wanted >= min && plan.wanted <= max);
      const ways = [start, resume.length, drain.length + withdraw];
      assert.ok(ways.filter((each) => each > 0).length <= 1, "contradiction");

      const drained = serving(input).filter(({ id }) => drain.includes(id));
      assert.equal(drained.length, drain.length);
      assert.ok(drained.every(({ hasMachine }) => hasMachine));
      const rest = serving(input).filter(({ id }) => !drain.includes(id));
      if (drained.some(({ held }) => held > 0)) {
        assert.ok(
          rest.every(({ held, hasMachine }) => held > 0 || !hasMachine),
          "drained a busy worker although one is idle",
        );
      }
      if (drained.length > 0) {
        const age = input.now - (input.surplus?.since ?? input.now);
        assert.ok(age >= SCALE_DOWN_MS, "drained too early");
        assert.ok(rest.length >= Math.min(min, max), "fewer than min_workers");
        const elsewhere = workers.filter((each) => !rest.includes(each))
          .reduce((sum, { held }) => sum + held, 0);
        const room = CAPACITY * rest.length;
        assert.ok(
          room >= countDemand(input) - elsewhere || rest.length >= max,
          "too little room",
        );
      }
      assert.ok(surplus === undefined || surplus.since <= input.now);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("planMachines() has nothing left to do once its plan is carried out", () => {
  fc.assert(
    fc.property(inputArbitrary, (input) => {
      let state = { ...input, canStart: true };
      // Drains are withdrawn before machines are started.
      for (let step = 0; step < 2; step++) {
        state = carryOut(state, planMachines(state));
      }
      const { start, withdraw, resume, drain } = planMachines(state);
      assert.deepEqual([start, withdraw, resume, drain], [0, 0, [], []]);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("planMachines() meets the demand, or starts as many machines as it may", () => {
  fc.assert(
    fc.property(inputArbitrary, (given) => {
      const input = { ...given, canStart: true };
      let state = input;
      for (let step = 0; step < 2; step++) {
        state = carryOut(state, planMachines(state));
      }
      const coming = state.starting + state.requested;
      const count = serving(state).length + coming;
      const elsewhere = state.workers
        .filter(({ state }) => state !== "serving")
        .reduce((sum, { held }) => sum + held, 0);
      const isMet = CAPACITY * count >= countDemand(state) - elsewhere;
      const { pool, workers, silent } = state;
      const max = pool.maxWorkers ?? 100;
      assert.ok(isMet || workers.length + coming + silent >= max);
    }),
    { numRuns: 2_000 },
  );
});
