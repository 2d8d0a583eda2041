import assert from "node:assert/strict";
import fc from "fast-check";
import { assignPool } from "../../../src/apps/workerpool/assignment.ts";
import type { PoolCandidate } from "../../../src/apps/workerpool/candidate.ts";
import { findRejectedArguments } from "../../../src/apps/workerpool/allowed_arguments.ts";
import { GridError } from "../../../src/core/errors.ts";
import { candidateArbitrary, requestArbitrary } from "./arbitraries.ts";

/** Runs a function, and returns the code of its problem. */
function outcome(
  want: Parameters<typeof assignPool>[0],
  candidates: readonly PoolCandidate[],
): PoolCandidate | string {
  try {
    return assignPool(want, candidates);
  } catch (error) {
    if (error instanceof GridError) return error.code;
    throw error;
  }
}

const candidates = fc.uniqueArray(candidateArbitrary, {
  selector: ({ pool }) => pool.id,
  maxLength: 6,
});

Deno.test("assignPool() returns an active pool with room in its queue whose provider starts the browser, or throws", () => {
  fc.assert(fc.property(requestArbitrary, candidates, (want, all) => {
    const given = outcome(want, all);
    if (typeof given === "string") return;
    const browser = want.browser ?? given.pool.defaultBrowser;
    assert.equal(given.pool.status, "active");
    assert.ok(
      given.pool.maxQueue === null ||
        given.pending < given.pool.maxQueue + given.room,
    );
    assert.ok(
      given.choices.some((choice) => !browser || choice.browser === browser),
    );
  }));
});

Deno.test("assignPool() returns no pool that does not allow an argument of the session", () => {
  fc.assert(fc.property(requestArbitrary, candidates, (want, all) => {
    const given = outcome(want, all);
    if (typeof given === "string") return;
    assert.deepEqual(
      findRejectedArguments(want.arguments ?? [], given.pool.allowedArguments),
      [],
    );
    assert.ok(!want.arguments?.includes("--remote-debugging-port=1"));
  }));
});

Deno.test("assignPool() throws only if no pool could take the session", () => {
  fc.assert(fc.property(requestArbitrary, candidates, (want, all) => {
    const given = outcome(want, all);
    const alone = all.filter((each) =>
      typeof outcome(want, [each]) !== "string"
    );
    assert.equal(typeof given === "string", alone.length === 0);
  }));
});

Deno.test("assignPool() does not depend on the order of the pools", () => {
  fc.assert(fc.property(requestArbitrary, candidates, (want, all) => {
    const [one, other] = [all, all.toReversed()].map((each) => {
      const given = outcome(want, each);
      return typeof given === "string" ? given : given.pool.id;
    });
    assert.equal(one, other);
  }));
});

Deno.test("assignPool() prefers room, then likeness, then priority, then the shorter queue", () => {
  const base = fc.sample(candidateArbitrary, { numRuns: 1, seed: 7 })[0];
  assert.ok(base);
  const make = (
    id: string,
    load: Partial<PoolCandidate>,
    pool: Partial<PoolCandidate["pool"]> = {},
  ): PoolCandidate => ({
    choices: [{ browser: "chrome", versions: ["latest"] }],
    pending: 0,
    room: 5,
    ...load,
    pool: {
      ...base.pool,
      status: "active",
      maxQueue: null,
      priority: 0,
      defaultBrowser: null,
      defaultBrowserVersion: null,
      defaultHeadless: null,
      defaultOperatingSystem: null,
      allowedArguments: null,
      ...pool,
      id,
    },
  });
  const plain = make("b", {});
  const full = make("a", { room: 0 }, { priority: 9 });
  const alike = make("c", {}, { defaultHeadless: true });
  const dear = make("d", {}, { priority: 3 });
  const queued = make("a", { pending: 1 });
  const best = (...all: PoolCandidate[]) =>
    assignPool({ headless: true }, all).pool.id;
  assert.equal(best(full, plain), "b");
  assert.equal(best(plain, alike, dear), "c");
  assert.equal(best(plain, dear), "d");
  assert.equal(best(queued, plain), "b");
});
