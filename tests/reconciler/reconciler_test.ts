import assert from "node:assert/strict";
import { reconcileOnce } from "../../src/reconciler/reconciler.ts";
import { createScene, MINUTE, SECOND } from "./scene.ts";

Deno.test("concurrent reconcilers change each record once", async () => {
  await using s = await createScene();
  const ids: string[] = [];
  for (let at = 0; at < 6; at++) ids.push((await s.api.session()).id);
  const worker = await s.api.worker();
  for (let at = 0; at < 3; at++) await s.api.claim(worker);
  s.clock.advance(400 * SECOND);
  const passes = () => Promise.all([s.pass(), s.pass(), s.pass()]);
  let counted = await passes();
  const sum = (concern: string) =>
    counted.reduce((total, counts) => total + (counts[concern] ?? 0), 0);
  assert.equal(sum("lostWorkers"), 1);
  assert.equal(sum("expiredLeases"), 3);
  assert.equal(sum("overdue"), 3);
  // Those that were queued again can be claimed for some more time.
  s.clock.advance(61 * SECOND);
  counted = await passes();
  assert.equal(sum("overdue"), 3);
  for (const id of ids) {
    const events = await s.grid.sessions.events(id, 0, 100);
    const failures = events.filter(({ event }) => event === "session_failed");
    assert.equal(failures.length, 1);
  }
  assert.deepEqual(
    Object.values(await s.pass()).filter((count) => count > 0),
    [],
    "and nothing is left to change",
  );
});

Deno.test("a server that has observed for less than a lease declares no worker and no session late", async () => {
  await using s = await createScene({ queue_timeout_seconds: 60 });
  const { workerId, claimed } = await s.api.running();
  const waiting = await s.api.session();
  s.clock.advance(10 * MINUTE);
  const counts = await s.pass({ observedMs: () => 29_999, leaseMs: 30_000 });
  assert.deepEqual(Object.values(counts).filter((count) => count > 0), []);
  await s.api.report(workerId, claimed, "running");
  await s.pass({ observedMs: () => 30_000, leaseMs: 30_000 });
  assert.equal(
    (await s.getStatus(claimed.id))[0],
    "running",
    "its worker came back",
  );
  assert.equal((await s.getStatus(waiting.id))[0], "failed");
});

Deno.test("a failing concern does not stop the others", async () => {
  await using s = await createScene();
  const { claimed } = await s.api.running();
  s.clock.advance(31 * SECOND);
  const { counts, failures } = await reconcileOnce({
    ...s.grid,
    workers: {
      markLost: () => Promise.reject(new Error("no luck")),
      prune: () => Promise.reject(new Error("no luck either")),
      rollUpMetrics: () => Promise.resolve(0),
    },
  });
  assert.deepEqual([...failures.keys()], ["lostWorkers", "prunedWorkers"]);
  assert.equal(counts.expiredLeases, 1);
  assert.equal((await s.getStatus(claimed.id))[0], "crashed");
});
