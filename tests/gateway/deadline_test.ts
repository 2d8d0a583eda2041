import assert from "node:assert/strict";
import { reconcileOnce } from "../../src/reconciler/reconciler.ts";
import { createFakeClock } from "../support/clock.ts";
import { readProblem } from "../support/read_problem.ts";
import { rawClient } from "../support/raw_client.ts";
import { untilWaiting } from "../support/until_waiting.ts";
import { gatewayScene } from "./scene.ts";

const SECOND = 1_000;

/** A scene with a fake clock for clients of `/v1/connect`. */
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
    /** Advances the clock and waits until the gateway has recorded activity. */
    async pass(seconds: number) {
      clock.advance(seconds * SECOND);
      await untilWaiting();
    },
  };
}

Deno.test("a client whose session is not claimed until its queue deadline gets session_failed with the reason and a Retry-After", async () => {
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

Deno.test("a client is rejected soon after the queue deadline, also without a reconciler", async () => {
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

Deno.test("a client whose pool is full until its queue deadline gets that reason with its position in the queue", async () => {
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

Deno.test("a client waits until the queue deadline of its session, beyond the default of the settings", async () => {
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

Deno.test("a client whose browser does not start gets session_failed with the reason and no Retry-After", async () => {
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

Deno.test("a client is rejected at once with a Retry-After if the queue is full", async () => {
  await using s = await scene({ max_queue: 1 });
  const createSession = () => s.api.call("POST", "/sessions", {});
  while ((await createSession()).status === 201);
  using client = await s.connect("");
  const { status, code } = await readProblem(client);
  assert.deepEqual([status, code], [429, "queue_full"]);
  assert.match(client.head, /^retry-after: 5\r$/im);
});
