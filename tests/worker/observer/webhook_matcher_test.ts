import assert from "node:assert/strict";
import { WebhookMatcher } from "../../../src/worker/observer/webhook_matcher.ts";

const target = { id: "t", type: "page", url: "about:blank" };
const createEvent = (n: number) => ({
  method: "Page.loadEventFired",
  target,
  params: { n },
});

const observation = {
  webhook_id: "hook",
  events: ["Page.loadEventFired"],
  filters: [{ path: "params.n", operator: "ge" as const, value: 0 }],
};

Deno.test("events beyond 40 at once and 20 a second are dropped, counted, and told with the next one", () => {
  let dropped = 0;
  const matcher = new WebhookMatcher(observation, () => dropped++);
  const send = (count: number, now: number) => {
    const accepted = [];
    for (let n = 0; n < count; n++) {
      const each = matcher.accept(createEvent(n), now);
      if (each !== undefined) accepted.push(each);
    }
    return accepted;
  };
  assert.deepEqual(send(100, 0), Array(40).fill(0));
  assert.equal(dropped, 60);
  const [first, ...rest] = send(100, 1_000);
  assert.equal(first, 60);
  assert.equal(rest.length, 19);
  assert.equal(dropped, 140);
});

Deno.test("an event that does not match the filters is not counted", () => {
  let dropped = 0;
  const matcher = new WebhookMatcher(observation, () => dropped++);
  for (let n = 0; n < 100; n++) {
    assert.equal(matcher.accept(createEvent(-1), 0), undefined);
  }
  assert.equal(matcher.accept(createEvent(1), 0), 0);
  assert.equal(dropped, 0);
});

Deno.test("a changed webhook keeps its rate", () => {
  const matcher = new WebhookMatcher(observation, () => {});
  for (let n = 0; n < 45; n++) matcher.accept(createEvent(n), 0);
  const changed = new WebhookMatcher(observation, () => {}, matcher);
  assert.equal(changed.accept(createEvent(1), 0), undefined);
  assert.equal(changed.accept(createEvent(1), 1_000), 6);
});
