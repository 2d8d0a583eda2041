/**
 * Query plans of the frequent statements: their cost must not grow with the history of the grid or the length of its
 * queue.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ChangeStore } from "../../../src/apps/sessions/store/changes.ts";
import { reconcileOnce } from "../../../src/reconciler/reconciler.ts";
import { createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";
import { explain, recordStatements } from "../../support/query_plans.ts";

/** Returns the query plans for `sessions` of the statements that `act` runs. */
async function searches(
  { core: { db } }: TestGrid,
  act: () => Promise<unknown>,
): Promise<readonly string[]> {
  const plans: string[] = [];
  for (const each of await recordStatements(db, act)) {
    plans.push(...await explain(db, each));
  }
  return plans.filter((plan) =>
    /^\w+ (sessions|s|h|n|old)\b(?! VIRTUAL)/.test(plan)
  );
}

/** Plans by id, by the sessions that a worker or pool holds, in claim order, or by stop commands. */
const CHEAP =
  /sqlite_autoindex_sessions_1 \(id=|sessions_status \(status=\? AND id=\?\)|sessions_worker \(worker_id=\? AND status=\?( AND id=\?)?\)|sessions_queue \(work_pool_id=\? AND status=\?( AND priority[<=]\?( AND owner[=>]\?( AND id>\?)?)?)?\)|sessions_(owner|pool) \((owner|work_pool_id)=\? AND status=\?\)|sessions_held \(work_pool_id=\? AND owner=\? AND status=\?\)|sessions_ordered \(worker_id=\?\)/;

Deno.test("heartbeats, claims, polls and records of the gateway find sessions by an index, without a scan", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const pool = await api.pool({ max_sessions: 5 });
  const { workerId, claimed } = await api.running();
  const { id } = await api.session();
  const ask = {
    heartbeat: () =>
      api.report(workerId, claimed, "running", { progress: ["x"] }),
    farewell: () =>
      api.call("PUT", `/workerpool/workers/${workerId}/heartbeat`, {
        status: "offline",
        sessions: [],
      }),
    claim: () => api.claim(workerId),
    get: () => api.call("GET", `/sessions/${id}`),
    arrival: () => grid.sessions.activity.recordConnected(claimed.id),
    presence: () =>
      grid.sessions.activity.recordActivity({
        active: [id],
        clientsSeen: [id],
      }),
    departure: () => grid.sessions.activity.recordDisconnected(claimed.id, {}),
    look: () =>
      new ChangeStore(grid.core.db).poll({
        start: [id],
        end: [id],
        pool: [pool.id],
        worker: [workerId],
        handover: [id],
        hold: [id],
      }),
  };
  for (const [name, act] of Object.entries(ask)) {
    const plans = await searches(grid, act);
    assert.ok(plans.length > 2, name);
    for (const plan of plans) assert.match(plan, CHEAP, `${name}: ${plan}`);
  }
});

Deno.test("overdue sessions are found without a scan of the queue", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const api = createApiClient(grid);
  await api.pool();
  await api.session({ queue_timeout_seconds: 1 });
  clock.advance(2_000);
  const plans = await searches(grid, () => reconcileOnce(grid));
  // An index finds the pending sessions whose time has passed; held sessions are few.
  const ofQueue = plans.filter((plan) => /sessions_waiting \(/.test(plan));
  assert.equal(
    ofQueue.length,
    3 + 2,
    "overdue and abandoned, event and change; what is overdue is read before",
  );
  for (const plan of plans) assert.doesNotMatch(plan, /^SCAN/);
});
