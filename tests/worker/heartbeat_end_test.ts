import assert from "node:assert/strict";
import { settle } from "../support/event_loop.ts";
import { problem, silence } from "../support/scripted_server.ts";
import { accepted, scene } from "./heartbeat_scene.ts";

Deno.test("Heartbeat is disposed after the response to the request in flight: no later one may overtake it", async () => {
  const s = scene();
  const response = Promise.withResolvers<Response>();
  s.server.respond = () => response.promise;
  s.heartbeat.start();
  await settle();
  let isDone = false;
  const disposal = s.heartbeat[Symbol.asyncDispose]().then(() => isDone = true);
  await s.pass(1_999);
  assert.ok(!isDone);
  response.resolve(accepted());
  await disposal;
  assert.equal(s.server.requests.length, 1);
});

Deno.test("Heartbeat is disposed within 2 s if the server does not respond", async () => {
  const s = scene();
  s.server.respond = silence;
  s.heartbeat.start();
  await settle();
  const disposal = s.heartbeat[Symbol.asyncDispose]();
  await s.pass(2_000);
  await disposal;
});

Deno.test("Heartbeat.deregister() sends the remaining reports and the status offline", async () => {
  const s = scene();
  for (let count = 0; count < 2; count++) {
    s.outbox.put({
      session_id: crypto.randomUUID(),
      fencing_token: 1,
      status: "terminated",
      logs: "x".repeat(250_000),
    });
  }
  s.server.respond = ({ body }) =>
    accepted({
      reports: body.sessions.map((
        { session_id }: { readonly session_id: string },
      ) => ({ session_id, result: "accepted" })),
    });
  await s.heartbeat[Symbol.asyncDispose]();
  await s.heartbeat.deregister();
  assert.deepEqual(
    s.server.requests.map(({ body }) => [body.status, body.sessions.length]),
    [["draining", 1], ["offline", 1]],
  );
});

Deno.test("Heartbeat.deregister() ends after 5 s if the server does not respond", async () => {
  const s = scene();
  s.server.respond = silence;
  await s.heartbeat[Symbol.asyncDispose]();
  let isDone = false;
  const leaving = s.heartbeat.deregister().then(() => isDone = true);
  await s.pass(4_999);
  assert.ok(!isDone);
  await s.pass(1);
  await leaving;
});

Deno.test("Heartbeat.deregister() repeats its request to a server that is busy", async () => {
  const s = scene();
  s.server.respond = () => {
    s.server.respond = () => accepted();
    return problem(503, "database_busy");
  };
  await s.heartbeat[Symbol.asyncDispose]();
  const { length } = s.server.requests;
  let isDone = false;
  void s.heartbeat.deregister().then(() => isDone = true);
  for (let count = 0; !isDone && count < 10; count++) await s.pass(250);
  const sent = s.server.requests.slice(length).map(({ body }) => body.status);
  assert.deepEqual(sent, ["offline", "offline"]);
});
