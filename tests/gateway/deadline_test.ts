import assert from "node:assert/strict";
import { reconcileOnce } from "../../src/reconciler/reconciler.ts";
import { createFakeClock } from "../support/clock.ts";
import { readProblem } from "../support/read_problem.ts";
import { rawClient } from "../support/raw_client.ts";
import { untilWaiting } from "../support/until_waiting.ts";
import { gatewayScene } from "./scene.ts";

const SECOND = 1_000;

/** A scene whose time stands still, and where clients of `/v1/connect` connect. */
async function scene(pool: Readonly<Record<string, unknown>> = {}) {
  const clock = createFakeClock();
  const set = await gatewayScene({ grid: { clock } });
  const { body } = await set.api.call("GET", "/workerpool/pools");
  await set.api.call("PATCH", `/workerpool/pools/${body.items[0].id}`, pool);
  const origin = set.grid.url.replace("http", "ws");
  return {
    ...set,
    clock,
    connect: (query: string) => rawClient(`${origin}/v1/connect?${query}`),
    /** Lets time pass; the gateway says who is there. */
    async pass(seconds: number) {
      clock.advance(seconds * SECOND);
      await untilWaiting();
    },
  };
}

Deno.test("a client whose session no worker takes until its queue deadline is refused with that reason, and told when to try again", async () => {
  await using s = await scene();
  const connecting = s.connect("queue_timeout_seconds=60");
  await untilWaiting();
  await s.pass(60);
  assert.equal((await reconcileOnce(s.grid)).counts.overdue, 0);
  s.clock.advance(1);
  assert.equal((await reconcileOnce(s.grid)).counts.overdue, 1);
  using client = await connecting;
  const { status, code, detail } = await readProblem(client);
  assert.deepEqual([status, code], [502, "session_failed"]);
  assert.match(
    String(detail),
    /its queue deadline passed: no worker of its work pool "pool" is online; it is number 1 in the queue\), expected/,
  );
  assert.match(client.head, /^retry-after: 5\r$/im);
});

Deno.test("a client is refused soon after the queue deadline though nobody looks after deadlines", async () => {
  await using s = await scene();
  const connecting = s.connect("queue_timeout_seconds=60");
  await untilWaiting();
  await s.pass(66);
  using client = await connecting;
  const { code, detail } = await readProblem(client);
  assert.equal(code, "session_not_running");
  assert.match(
    String(detail),
    /it is pending \(.*; it is number 1 in the queue/,
  );
});

Deno.test("a client whose pool is full until its queue deadline gets that reason, with its place in the queue", async () => {
  await using s = await scene({ max_sessions: 1 });
  await s.api.session();
  const connecting = s.connect("queue_timeout_seconds=5");
  await untilWaiting();
  s.clock.advance(5 * SECOND + 1);
  await reconcileOnce(s.grid);
  using client = await connecting;
  const { detail } = await readProblem(client);
  assert.match(
    String(detail),
    /: its work pool "pool" has reached its max_sessions of 1; it is number 2 in the queue\)/,
  );
});

Deno.test("a client waits as long as its own session may, beyond what the settings say", async () => {
  await using s = await scene();
  const connecting = s.connect("queue_timeout_seconds=1000");
  await untilWaiting();
  await s.pass(900);
  await reconcileOnce(s.grid);
  const workerId = await s.api.worker();
  const claimed = await s.api.claim(workerId);
  assert.ok(claimed);
  const { endpoint } = s.upstream;
  await s.api.report(workerId, claimed, "running", { endpoint });
  using client = await connecting;
  assert.match(client.head, /^HTTP\/1.1 101 /);
});

Deno.test("a client whose browser does not start is refused with the reason, and not told to try again", async () => {
  await using s = await scene();
  const connecting = s.connect("");
  await untilWaiting();
  const workerId = await s.api.worker();
  const claimed = await s.api.claim(workerId);
  assert.ok(claimed);
  const status_reason = "there is no such image";
  await s.api.report(workerId, claimed, "failed", { status_reason });
  using client = await connecting;
  const { code, detail } = await readProblem(client);
  assert.equal(code, "session_failed");
  assert.match(String(detail), /there is no such image/);
  assert.doesNotMatch(client.head, /retry-after/i);
});

Deno.test("a client that finds the queue full is refused before it waits, and told when to try again", async () => {
  await using s = await scene({ max_queue: 1 });
  const asked = () => s.api.call("POST", "/sessions", {});
  while ((await asked()).status === 201);
  using client = await s.connect("");
  const { status, code } = await readProblem(client);
  assert.deepEqual([status, code], [429, "queue_full"]);
  assert.match(client.head, /^retry-after: 5\r$/im);
});
