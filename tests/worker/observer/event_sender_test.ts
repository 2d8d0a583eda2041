import assert from "node:assert/strict";
import { ApiError } from "../../../src/client/api_error.ts";
import type { BrowserEventsInput } from "../../../src/client/client.ts";
import { EventSender } from "../../../src/worker/observer/event_sender.ts";
import { createFakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";

const session = { sessionId: "session", fencingToken: 1 };
const event = {
  webhookId: "hook",
  method: "Page.loadEventFired",
  target: { id: "t", type: "page", url: "about:blank" },
  params: {},
  dropped: 0,
};

/** A sender whose requests a test answers; the clock advances while it waits. */
function openScene(
  respond: (body: BrowserEventsInput, count: number) => unknown = () => {},
) {
  const clock = createFakeClock();
  const bodies: BrowserEventsInput[] = [];
  const sender = new EventSender({
    workerId: "worker",
    proof: { secret: "s", instanceId: "i" },
    clock,
    client: {
      async sendBrowserEvents(_, body) {
        bodies.push(body);
        await respond(body, bodies.length);
        return { accepted: 0 };
      },
    },
  });
  return {
    bodies,
    sender,
    clock,
    requests: (count: number) =>
      eventually(`${count} requests`, () => {
        clock.advance(100);
        return Promise.resolve(bodies.length >= count);
      }),
  };
}

function createError(status: number): ApiError {
  return new ApiError("code", "message", status);
}

Deno.test("events and counts are sent together, at most 100 events in a request", async () => {
  const { sender, bodies, requests } = openScene();
  for (let n = 0; n < 150; n++) sender.send(session, event);
  sender.drop(session, "hook");
  sender.drop(session, "hook");
  await requests(2);
  assert.deepEqual(bodies.map(({ events }) => events?.length), [100, 50]);
  assert.deepEqual(bodies[0]?.dropped, [{
    session_id: "session",
    fencing_token: 1,
    webhook_id: "hook",
    count: 2,
  }]);
  const ids = bodies.flatMap(({ events = [] }) => events.map(({ id }) => id));
  assert.equal(new Set(ids).size, 150);
  await sender[Symbol.asyncDispose]();
  assert.equal(bodies.length, 2);
});

Deno.test("a failed request is repeated with the same ids, and a rejected one is not", async () => {
  const { sender, bodies, requests } = openScene((_, count) => {
    if (count === 1) throw createError(503);
    if (count === 3) throw createError(422);
  });
  sender.send(session, event);
  await requests(2);
  assert.equal(bodies[0]?.events?.[0]?.id, bodies[1]?.events?.[0]?.id);
  sender.send(session, event);
  await requests(3);
  sender.send(session, event);
  await requests(4);
  const [third, fourth] = bodies.slice(2).map(({ events }) => events?.[0]?.id);
  assert.notEqual(third, fourth);
  await sender[Symbol.asyncDispose]();
});

Deno.test("events of a server that does not respond are bounded, and count as dropped", async () => {
  const { sender, bodies, clock, requests } = openScene((_, count) => {
    if (count === 1) throw createError(503);
  });
  const large = { ...event, params: { text: "x".repeat(10_000) } };
  for (let n = 0; n < 1_000; n++) sender.send(session, large);
  await requests(2);
  const [{ dropped = [] } = {}] = bodies;
  const count = dropped[0]?.count ?? 0;
  assert.ok(count > 500, `${count}`);
  const countSent = () =>
    bodies.slice(1).reduce((sum, { events = [] }) => sum + events.length, 0);
  await eventually("the others are sent", () => {
    clock.advance(100);
    return Promise.resolve(countSent() === 1_000 - count);
  });
  for (const body of bodies) {
    assert.ok(JSON.stringify(body).length < 600_000);
  }
  await sender[Symbol.asyncDispose]();
});

Deno.test("what waits is sent once more when the sender is disposed", async () => {
  const { sender, bodies } = openScene();
  sender.send(session, event);
  await sender[Symbol.asyncDispose]();
  assert.equal(bodies.length, 1);
  sender.send(session, event);
  assert.equal(bodies.length, 1);
});
