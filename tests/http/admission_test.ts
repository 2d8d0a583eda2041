import assert from "node:assert/strict";
import fc from "fast-check";
import { GridError } from "../../src/core/errors.ts";
import { Admission } from "../../src/http/admission.ts";
import { createFakeClock } from "../support/clock.ts";

/** An admission whose expected wait the test sets. */
function createScene({ random = 0 } = {}) {
  const clock = createFakeClock();
  const database = { waitMs: 0 };
  const ingress = { expectedWaitMs: 0, isFull: false };
  const admission = new Admission({
    db: { expectedWaitMs: () => database.waitMs },
    ingress,
    clock,
    random: () => random,
  });
  /** Returns the error if the request is rejected. */
  function ask(caller: string, request?: object): GridError | undefined {
    try {
      admission.admit(caller, request);
    } catch (error) {
      assert.ok(error instanceof GridError);
      assert.equal(error.code, "overloaded");
      return error;
    }
  }
  return { admission, ask, clock, database, ingress };
}

Deno.test("every request is admitted while the expected wait is at most 2 s", () => {
  const { admission, ask, database } = createScene();
  database.waitMs = 2_000;
  for (let count = 0; count < 1_000; count++) {
    assert.equal(ask("flooding"), undefined);
  }
  assert.ok(!admission.arrive({}));
});

Deno.test("over 2 s the caller with most requests is rejected, and those with fewer than the mean are admitted", () => {
  const { admission, ask, database } = createScene();
  for (let count = 0; count < 100; count++) ask("flooding");
  ask("other");
  database.waitMs = 2_001;
  assert.ok(admission.arrive({}));
  assert.ok(ask("flooding"));
  assert.equal(ask("other"), undefined);
  assert.equal(ask("new"), undefined);
});

Deno.test("a single caller is rejected as soon as the wait is over 2 s", () => {
  const { ask, database } = createScene();
  ask("only");
  database.waitMs = 2_001;
  assert.ok(ask("only"));
  database.waitMs = 0;
  assert.equal(ask("only"), undefined);
});

Deno.test("over 6 s every request is rejected, because many callers together overload the database", () => {
  const { ask, database } = createScene();
  for (let count = 0; count < 100; count++) ask("flooding");
  database.waitMs = 6_001;
  assert.ok(ask("new"));
});

Deno.test("requests count less with time: a caller that floods again after a pause has no advantage, and old callers are dropped", () => {
  const { ask, clock, database } = createScene();
  for (let count = 0; count < 8; count++) ask("earlier");
  for (let second = 0; second < 4; second++) {
    clock.advance(1_000);
    ask("steady");
  }
  database.waitMs = 2_001;
  assert.ok(ask("steady"));
  assert.equal(ask("earlier"), undefined);
});

Deno.test("Retry-After is the expected wait and up to 3 s more, so that clients do not return together", () => {
  const seconds = [0, 0.5, 0.999].map((random) => {
    const { ask, database } = createScene({ random });
    database.waitMs = 2_500;
    return ask("any")?.retryAfterSeconds;
  });
  assert.deepEqual(seconds, [3, 4, 6]);
});

Deno.test("only rejected requests are reported as rejected", () => {
  const { admission, ask, database } = createScene();
  const [served, rejected] = [{}, {}];
  ask("any", served);
  database.waitMs = 10_000;
  ask("any", rejected);
  assert.ok(!admission.wasRejected(served));
  assert.ok(admission.wasRejected(rejected));
});

Deno.test("the waits for the listener and for the database count together", () => {
  const { admission, ask, database, ingress } = createScene();
  Object.assign(ingress, { expectedWaitMs: 1_500 });
  database.waitMs = 400;
  assert.ok(!admission.arrive({}));
  assert.equal(ask("any"), undefined);
  database.waitMs = 501;
  assert.ok(admission.arrive({}));
  assert.ok(ask("any"));
});

Deno.test("while the listener's queue is full, the caller with most requests is rejected", () => {
  const { ask, ingress } = createScene();
  for (let count = 0; count < 100; count++) ask("flooding");
  ingress.isFull = true;
  assert.ok(ask("flooding"));
  assert.equal(ask("other"), undefined);
});

Deno.test("a request is decided by its expected wait at its arrival: those behind it do not count", () => {
  const { admission, ask, database } = createScene();
  const [early, late] = [{}, {}];
  assert.ok(!admission.arrive(early));
  database.waitMs = 2_001;
  assert.ok(admission.arrive(late));
  assert.equal(ask("any", early), undefined);
  database.waitMs = 0;
  assert.ok(ask("any", late));
});

Deno.test("property: a request is rejected only over 2 s, always over 6 s, and between only if its caller has at least the mean", () => {
  const steps = fc.array(
    fc.record({
      caller: fc.constantFrom("a", "b", "c", "d"),
      waitMs: fc.nat(8_000),
    }),
    { maxLength: 200 },
  );
  fc.assert(fc.property(steps, (each) => {
    const { ask, database } = createScene();
    const counts = new Map<string, number>();
    for (const { caller, waitMs } of each) {
      database.waitMs = waitMs;
      const total = [...counts.values()].reduce((sum, one) => sum + one, 0);
      const count = counts.get(caller) ?? 0;
      const hasMean = !(count < total / counts.size);
      const isRejected = ask(caller) !== undefined;
      assert.equal(
        isRejected,
        waitMs > 6_000 || waitMs > 2_000 && hasMean,
      );
      if (!isRejected) counts.set(caller, count + 1);
    }
  }));
});
