import assert from "node:assert/strict";
import type { WorkerCommand } from "../../src/client/client.ts";
import { ClaimLoop } from "../../src/worker/claim_loop.ts";
import { createFakeClock } from "../support/clock.ts";
import { settle } from "../support/event_loop.ts";
import { logRecords } from "../support/log_records.ts";
import {
  problem,
  ScriptedServer,
  silence,
} from "../support/scripted_server.ts";

/** Creates the response to a claim. */
function claimed(
  ids: readonly string[],
  { waited_ms = 0, commands = [] as readonly unknown[] } = {},
): Response {
  const sessions = ids.map((id) => ({ id }));
  return Response.json({ sessions, waited_ms, commands });
}

/** A claim loop with a fake supervisor, which records what it starts. */
function scene({ room = 5, pauseMs = 1_000 } = {}) {
  const clock = createFakeClock();
  const server = new ScriptedServer(silence);
  const knobs = { room, isOpen: true };
  const calls = {
    started: [] as [string, number][],
    commands: [] as WorkerCommand[],
    woken: 0,
    replaced: 0,
  };
  const loop = new ClaimLoop({
    client: server.client,
    workerId: "worker",
    proof: { secret: "a-secret", instanceId: "instance" },
    clock,
    supervisor: {
      get room() {
        return knobs.room;
      },
      endingIds: ["ending"],
      start: ({ id }, claimedAt) => {
        calls.started.push([id, claimedAt]);
        knobs.room--;
      },
    },
    pauseMs,
    isOpen: () => knobs.isOpen,
    onCommands: (commands) => void calls.commands.push(...commands),
    onWoken: () => void calls.woken++,
    onReplaced: () => void calls.replaced++,
  });
  return {
    clock,
    server,
    knobs,
    calls,
    loop,
    async pass(ms: number) {
      clock.advance(ms);
      await settle();
    },
    [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose](),
  };
}

Deno.test("ClaimLoop claims as many sessions as there is room for, at most 4 at once", async () => {
  await using s = scene({ room: 6 });
  s.server.respond = ({ body }) =>
    claimed(Array.from({ length: body.count }, () => crypto.randomUUID()));
  s.loop.start();
  const { method, path, headers, body } = await s.server.latest();
  assert.deepEqual([method, path], [
    "POST",
    "/v1/workerpool/workers/worker/claim-session",
  ]);
  assert.equal(headers.get("x-browsergrid-secret"), "a-secret");
  assert.deepEqual([body.room, body.count], [6, 4]);
  assert.deepEqual(body.obeying, ["ending"]);
  s.server.respond = silence;
  await s.pass(5);
  const next = (await s.server.latest()).body;
  assert.deepEqual([next.room, next.count], [2, 2]);
});

Deno.test("ClaimLoop starts claimed sessions, whose leases began when the server assigned them", async () => {
  await using s = scene();
  s.clock.advance(1_000);
  s.server.respond = () => claimed(["a", "b"], { waited_ms: 20_000 });
  s.loop.start();
  await settle();
  assert.deepEqual(s.calls.started, [["a", 21_000], ["b", 21_000]]);
});

Deno.test("ClaimLoop claims again 5 ms after each response, with a new request id", async () => {
  await using s = scene();
  s.server.respond = () => claimed([]);
  s.loop.start();
  await settle();
  await s.pass(4);
  assert.equal(s.server.requests.length, 1);
  await s.pass(1);
  assert.equal(s.server.requests.length, 2);
  const ids = s.server.requests.map(({ body }) => body.request_id);
  assert.notEqual(ids[0], ids[1]);
});

Deno.test("ClaimLoop repeats a claim that failed under the same request id, after its pause, and logs the first failure", async () => {
  await using s = scene();
  await using log = await logRecords();
  s.server.respond = () => problem(503, "database_busy");
  s.loop.start();
  await settle();
  await s.pass(999);
  assert.equal(s.server.requests.length, 1);
  await s.pass(501);
  await s.pass(1_500);
  assert.equal(s.server.requests.length, 3);
  s.server.respond = () => claimed(["a"]);
  await s.pass(1_500);
  const ids = s.server.requests.map(({ body }) => body.request_id);
  assert.equal(new Set(ids).size, 1);
  assert.deepEqual(s.calls.started.map(([id]) => id), ["a"]);
  assert.equal(log.records.length, 1);
});

Deno.test("ClaimLoop repeats a claim without a response after 33 s, under the same request id", async () => {
  await using s = scene();
  s.loop.start();
  await settle();
  await s.pass(32_999);
  assert.ok(!s.server.requests[0]?.signal.aborted);
  await s.pass(1);
  await s.pass(1_500);
  const [first, second] = s.server.requests;
  assert.ok(first?.signal.aborted);
  assert.equal(first?.body.request_id, second?.body.request_id);
});

Deno.test("ClaimLoop waits for commands with room 0 while the worker is full, and claims at once when there is room", async () => {
  await using s = scene({ room: 0 });
  s.loop.start();
  const full = await s.server.latest();
  assert.deepEqual([full.body.room, full.body.count], [0, 1]);
  s.loop.roomChanged();
  await settle();
  assert.ok(!full.signal.aborted, "there is no room yet");
  s.knobs.room = 2;
  s.loop.roomChanged();
  await settle();
  await s.pass(5);
  assert.ok(full.signal.aborted);
  assert.equal(s.server.requests.length, 2);
  assert.equal((await s.server.latest()).body.room, 2);
});

Deno.test("ClaimLoop.roomChanged() does not replace a claim that was sent with room", async () => {
  await using s = scene({ room: 1 });
  s.loop.start();
  const { signal } = await s.server.latest();
  s.knobs.room = 2;
  s.loop.roomChanged();
  await settle();
  assert.ok(!signal.aborted);
});

Deno.test("ClaimLoop has no room while the worker accepts no sessions", async () => {
  await using s = scene({ room: 3 });
  s.knobs.isOpen = false;
  s.loop.start();
  assert.equal((await s.server.latest()).body.room, 0);
  s.knobs.isOpen = true;
  s.loop.roomChanged();
  await settle();
  await s.pass(5);
  assert.equal((await s.server.latest()).body.room, 3);
});

Deno.test("ClaimLoop passes commands on, and calls onWoken() for a response with neither sessions nor commands", async () => {
  await using s = scene({ room: 0 });
  const command = {
    type: "stop",
    session_id: crypto.randomUUID(),
    fencing_token: 1,
    status: "completed",
    reason: "it was deleted",
    force: false,
  };
  s.server.respond = () => claimed([], { commands: [command] });
  s.loop.start();
  await settle();
  assert.deepEqual(s.calls.commands, [command]);
  assert.equal(s.calls.woken, 0);
  s.server.respond = () => claimed([]);
  await s.pass(5);
  assert.equal(s.calls.woken, 1);
});

Deno.test("ClaimLoop claims again after a response without a body, which says that the wait is over", async () => {
  await using s = scene();
  s.server.respond = () => new Response(null, { status: 204 });
  s.loop.start();
  await settle();
  await s.pass(5);
  assert.equal(s.server.requests.length, 2);
  assert.equal(s.calls.woken, 0);
});

Deno.test("ClaimLoop ends with onReplaced() if a newer process has registered", async () => {
  await using s = scene();
  s.server.respond = () => problem(409, "worker_replaced");
  s.loop.start();
  await settle();
  await s.pass(60_000);
  assert.equal(s.calls.replaced, 1);
  assert.equal(s.server.requests.length, 1);
});

Deno.test("disposal of a ClaimLoop aborts the claim in flight, and ends a pause", async () => {
  const s = scene();
  s.loop.start();
  const { signal } = await s.server.latest();
  await s.loop[Symbol.asyncDispose]();
  assert.ok(signal.aborted);
  const paused = scene();
  paused.server.respond = () => problem(503, "database_busy");
  paused.loop.start();
  await settle();
  await paused.loop[Symbol.asyncDispose]();
  await paused.pass(10_000);
  assert.equal(paused.server.requests.length, 1);
});
