import assert from "node:assert/strict";
import { createFakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { keyedGrid } from "../../support/keys.ts";

Deno.test("a request with a key of the database costs as many round trips as one without", async () => {
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
  // The first request reads the secret of connect tokens, and the first request with a key reads the key.
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
  // An unknown key costs one round trip, and none when it is repeated.
  const wrong = grid.as(`bg_AAAAAAAA_${"x".repeat(43)}`);
  assert.equal((await trips(() => wrong.call("GET", "/sessions")))[0], 1);
  assert.equal((await trips(() => wrong.call("GET", "/sessions")))[0], 0);
});

Deno.test("an open grid checks once in 10 s for an admin key", async () => {
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

Deno.test("a running server writes the times at which keys are used", async () => {
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
