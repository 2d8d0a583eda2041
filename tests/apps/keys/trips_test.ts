import assert from "node:assert/strict";
import { createFakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { keyedGrid } from "../../support/keys.ts";

Deno.test("with a key of the database a request costs as few round trips as without", async () => {
  await using grid = await keyedGrid({ clock: createFakeClock() });
  await grid.admin.pool();
  const client = await grid.asNew();
  const worker = await grid.asNew({ role: "worker", work_pool_id: "pool" });
  const trips = async <T>(act: () => Promise<T>): Promise<[number, T]> => {
    const before = grid.core.db.trips();
    const result = await act();
    return [grid.core.db.trips() - before, result];
  };
  const id = await worker.worker();
  // The first request of all reads the secret of connect tokens, and the first with a key the key.
  await client.session();
  await worker.claim(id);
  assert.equal((await trips(() => client.session()))[0], 2);
  const [claim, claimed] = await trips(() => worker.claim(id));
  assert.ok(claimed);
  assert.equal(claim, 1);
  const report = () =>
    worker.report(id, claimed, "running", {
      endpoint: "ws://127.0.0.1:9/devtools/browser/x",
    });
  assert.equal((await trips(report))[0], 1);
  for (const path of ["/sessions", `/sessions/${claimed.id}`]) {
    assert.equal((await trips(() => client.call("GET", path)))[0], 1, path);
  }
  const stop = () => client.call("DELETE", `/sessions/${claimed.id}`);
  assert.equal((await trips(stop))[0], 1);
  // A key that is none costs one, and then nothing.
  const wrong = grid.as(`bg_AAAAAAAA_${"x".repeat(43)}`);
  assert.equal((await trips(() => wrong.call("GET", "/sessions")))[0], 1);
  assert.equal((await trips(() => wrong.call("GET", "/sessions")))[0], 0);
});

Deno.test("a grid that asks nobody for keys looks once in 10 s whether it should", async () => {
  const clock = createFakeClock();
  await using grid = await keyedGrid({
    clock,
    settings: { api_key: undefined },
  });
  const before = grid.core.db.trips();
  for (let count = 0; count < 9; count++) {
    await grid.admin.call("GET", "/sessions");
    clock.advance(1_000);
  }
  assert.equal(grid.core.db.trips() - before, 9 + 1);
});

Deno.test("a server writes when a key was used, while it runs", async () => {
  const clock = createFakeClock();
  await using grid = await keyedGrid({ clock, listen: true });
  const { id, key } = await grid.key();
  await grid.as(key).call("GET", "/sessions");
  const used = clock.now();
  const lastUse = await eventually("the use is written", async () => {
    clock.advance(1_000);
    const { body } = await grid.admin.call("GET", `/keys/${id}`);
    return body.last_used_at ?? undefined;
  });
  assert.equal(Date.parse(lastUse), used);
});
