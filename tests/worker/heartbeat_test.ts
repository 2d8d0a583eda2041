import assert from "node:assert/strict";
import { settle } from "../support/event_loop.ts";
import { problem, silence } from "../support/scripted_server.ts";
import {
  accepted,
  disposable,
  LEASE_MS,
  RUNNING,
  scene,
  SESSION,
} from "./heartbeat_scene.ts";

Deno.test("Heartbeat sends the worker's state and reports, with the proof of the worker", async () => {
  const s = scene();
  s.outbox.put(RUNNING);
  s.supervisor.size = 1;
  s.heartbeat.start();
  const { method, path, headers, body } = await s.server.latest();
  assert.deepEqual([method, path], [
    "PUT",
    "/v1/workerpool/workers/worker/heartbeat",
  ]);
  assert.equal(headers.get("x-browsergrid-secret"), "a-secret");
  assert.equal(headers.get("x-browsergrid-instance"), "instance");
  assert.partialDeepStrictEqual(body, {
    status: "online",
    current_load: 1,
    ready: 2,
    provider_details: { os: "test" },
    sessions: [{
      ...RUNNING,
      metrics: {
        cpu_percent: 12.5,
        memory_mb: null,
        network_rx_bytes: 2,
        network_tx_bytes: null,
      },
    }],
  });
  assert.ok(body.memory_usage_mb > 0);
  await s.heartbeat[Symbol.asyncDispose]();
});

Deno.test("Heartbeat.start() sends the first heartbeat; a heartbeat that is disposed before it sends none", async () => {
  const s = scene();
  await settle();
  await s.heartbeat[Symbol.asyncDispose]();
  assert.equal(s.server.requests.length, 0);
});

Deno.test("Heartbeat sends again after its period, and after sendSoon() without a pause", async () => {
  await using s = disposable(scene());
  s.heartbeat.start();
  await settle();
  await s.pass(9_999);
  assert.equal(s.server.requests.length, 1);
  await s.pass(1);
  assert.equal(s.server.requests.length, 2);
  s.heartbeat.sendSoon();
  await settle();
  assert.equal(s.server.requests.length, 3);
});

Deno.test("Heartbeat has one request in flight, and sends what has changed during it afterwards", async () => {
  await using s = disposable(scene());
  const response = Promise.withResolvers<Response>();
  s.server.respond = () => response.promise;
  s.heartbeat.start();
  await settle();
  s.outbox.put(RUNNING);
  s.heartbeat.sendSoon();
  s.heartbeat.sendSoon();
  await settle();
  assert.equal(s.server.requests.length, 1);
  s.server.respond = () => accepted();
  response.resolve(accepted());
  const { body } = await s.server.latest();
  assert.equal(s.server.requests.length, 2);
  assert.equal(body.sessions[0].session_id, SESSION);
});

Deno.test("Heartbeat applies a response: lost leases, renewals from the request's moment, commands and the warm target", async () => {
  await using s = disposable(scene());
  s.outbox.put(RUNNING);
  const stop = {
    type: "stop",
    session_id: SESSION,
    fencing_token: 1,
    status: "completed",
    reason: "it was deleted",
    force: false,
  };
  s.server.respond = () => {
    s.clock.advance(2_000);
    return accepted({
      reports: [{ session_id: SESSION, result: "lease_lost" }],
      commands: [stop],
      ready: { count: 1 },
    });
  };
  s.heartbeat.start();
  await settle();
  assert.deepEqual(s.calls.lost, [SESSION]);
  assert.deepEqual(s.calls.trustedUntil, [LEASE_MS * 5 / 6]);
  assert.deepEqual(s.calls.commands, [stop]);
  assert.deepEqual(s.calls.targets, [{ count: 1 }]);
});

Deno.test("Heartbeat sends final reports that do not fit into one request without a pause", async () => {
  await using s = disposable(scene());
  for (let count = 0; count < 3; count++) {
    s.outbox.put({
      session_id: crypto.randomUUID(),
      fencing_token: 1,
      status: "crashed",
      logs: "x".repeat(150_000),
    });
  }
  s.server.respond = ({ body }) =>
    accepted({
      reports: body.sessions.map((
        { session_id }: { readonly session_id: string },
      ) => ({ session_id, result: "accepted" })),
    });
  s.heartbeat.start();
  await settle();
  assert.equal(s.outbox.size, 0);
  assert.deepEqual(
    s.server.requests.map(({ body }) => body.sessions.length),
    [2, 1],
  );
});

Deno.test("Heartbeat retries within 1.5 s after a failure, and reports the server's availability", async () => {
  await using s = disposable(scene());
  s.server.respond = () => problem(503, "shutting_down");
  s.heartbeat.start();
  await settle();
  assert.ok(s.availability.isUnavailable);
  await s.pass(999);
  assert.equal(s.server.requests.length, 1);
  s.server.respond = () => accepted();
  await s.pass(501);
  assert.equal(s.server.requests.length, 2);
  assert.ok(!s.availability.isUnavailable);
});

Deno.test("Heartbeat repeats a request without a response after 8 s", async () => {
  await using s = disposable(scene());
  s.server.respond = silence;
  s.heartbeat.start();
  await settle();
  await s.pass(8_000);
  assert.ok(s.server.requests[0]?.signal.aborted);
  await s.pass(1_500);
  assert.equal(s.server.requests.length, 2);
});

Deno.test("Heartbeat sends minimal reports after a rejected body, until the next response", async () => {
  await using s = disposable(scene());
  s.outbox.put(RUNNING);
  s.server.respond = () => problem(422, "invalid_request");
  s.heartbeat.start();
  await settle();
  s.server.respond = () => accepted();
  await s.pass(1_500);
  const { session_id, fencing_token, status, endpoint } = RUNNING;
  assert.deepEqual(s.server.requests[1]?.body.sessions, [
    { session_id, fencing_token, status, endpoint },
  ]);
  await s.pass(10_000);
  assert.ok("metrics" in s.server.requests[2]?.body.sessions[0]);
});

Deno.test("Heartbeat calls onReplaced() once and sends nothing more if a newer process has registered", async () => {
  await using s = disposable(scene());
  s.server.respond = () => problem(409, "worker_replaced");
  s.heartbeat.start();
  await settle();
  await s.pass(60_000);
  assert.equal(s.calls.replaced, 1);
  assert.equal(s.server.requests.length, 1);
});

Deno.test("Heartbeat calls onUnknown() if the server does not know the worker, and continues after it", async () => {
  await using s = disposable(scene());
  s.server.respond = () => problem(404, "worker_not_found");
  s.heartbeat.start();
  await settle();
  assert.equal(s.calls.unknown, 1);
  s.server.respond = () => accepted();
  await s.pass(1_500);
  assert.equal(s.server.requests.length, 2);
  assert.equal(s.calls.unknown, 1);
});
