import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type FillState,
  planFill,
} from "../../../src/worker/warm/plan_fill.ts";

/** A browser of a state. */
interface Candidate {
  readonly name: string;
  readonly isReady: boolean;
}

/** Names browsers; a name that ends in "…" is still starting. */
function browsers(...names: readonly string[]): Candidate[] {
  return names.map((name) => ({ name, isReady: !name.endsWith("…") }));
}

/** Plans with room for 5 more and no browser at all, except for what is given. */
function plan(fields: Partial<FillState<Candidate>>) {
  const { end, start } = planFill<Candidate>({
    count: 0,
    fresh: [],
    old: [],
    isEnding: false,
    room: 5,
    mayStart: true,
    ...fields,
  });
  return { end: end.map(({ name }) => name), start };
}

Deno.test("planFill() starts missing browsers, two at a time", () => {
  assert.deepEqual(plan({ count: 3 }), { end: [], start: 2 });
  assert.deepEqual(plan({ count: 1 }), { end: [], start: 1 });
  const one = browsers("a…");
  assert.deepEqual(plan({ count: 3, fresh: one }), { end: [], start: 1 });
  const two = browsers("a…", "b…");
  assert.deepEqual(plan({ count: 3, fresh: two }), { end: [], start: 0 });
});

Deno.test("planFill() starts nothing while starts are paused", () => {
  assert.deepEqual(plan({ count: 3, mayStart: false }), { end: [], start: 0 });
});

Deno.test("planFill() ends browsers above the count, also while starts are paused", () => {
  const fresh = browsers("a", "b", "c");
  const expected = { end: ["b", "c"], start: 0 };
  assert.deepEqual(plan({ count: 1, fresh }), expected);
  assert.deepEqual(plan({ count: 1, fresh, mayStart: false }), expected);
});

Deno.test("planFill() keeps an old browser until its replacement is ready", () => {
  const old = browsers("x", "y");
  assert.deepEqual(plan({ count: 2, old }), { end: [], start: 2 });
  const starting = browsers("a…", "b…");
  const waiting = plan({ count: 2, old, fresh: starting });
  assert.deepEqual(waiting, { end: [], start: 0 });
  const half = plan({ count: 2, old, fresh: browsers("a", "b…") });
  assert.deepEqual(half, { end: ["y"], start: 0 });
  const done = plan({ count: 2, old, fresh: browsers("a", "b") });
  assert.deepEqual(done, { end: ["x", "y"], start: 0 });
});

Deno.test("planFill() ends one old browser if there is no room for its replacement, and none while another is ending", () => {
  const old = browsers("x", "y");
  const blocked = { count: 2, old, room: 0 };
  assert.deepEqual(plan(blocked), { end: ["x"], start: 0 });
  assert.deepEqual(plan({ ...blocked, isEnding: true }), { end: [], start: 0 });
  assert.deepEqual(plan({ ...blocked, mayStart: false }), {
    end: [],
    start: 0,
  });
  assert.deepEqual(plan({ ...blocked, room: -1 }), { end: ["x"], start: 0 });
});

Deno.test("planFill() starts as many as there is room for", () => {
  assert.deepEqual(plan({ count: 3, room: 1 }), { end: [], start: 1 });
  assert.deepEqual(plan({ count: 3, room: 0 }), { end: [], start: 0 });
});

Deno.test("planFill() never exceeds the count, the room or two concurrent starts, and ends only known browsers once", () => {
  const candidates = fc.array(
    fc.record({ name: fc.uuid(), isReady: fc.boolean() }),
    { maxLength: 5 },
  );
  fc.assert(fc.property(
    fc.record({
      count: fc.nat(5),
      fresh: candidates,
      old: candidates,
      isEnding: fc.boolean(),
      room: fc.integer({ min: -2, max: 6 }),
      mayStart: fc.boolean(),
    }),
    (state) => {
      const { end, start } = planFill(state);
      const { count, fresh, old, room, mayStart } = state;
      assert.ok(start >= 0 && start <= Math.max(0, room));
      assert.ok(start === 0 || mayStart && fresh.length + start <= count);
      const starting = fresh.filter(({ isReady }) => !isReady).length;
      assert.ok(start === 0 || starting + start <= 2);
      assert.equal(new Set(end).size, end.length);
      assert.ok(
        end.every((each) => fresh.includes(each) || old.includes(each)),
      );
      const keptFresh = fresh.filter((each) => !end.includes(each)).length;
      assert.equal(keptFresh, Math.min(count, fresh.length));
    },
  ));
});
