import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { testGrid } from "../../support/grid.ts";

Deno.test("a viewer takes control without a request and gives it back, and changes nothing while a request is open", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const { handovers } = grid;
  assert.ok(handovers);
  await api.pool();
  const { claimed: { id } } = await api.running();
  const control = async () =>
    (await api.call("GET", `/sessions/${id}`)).body.control;
  await handovers.setControl(id, "shared", "link");
  await handovers.setControl(id, "shared", "link");
  assert.equal(await control(), "shared");
  await handovers.setControl(id, "client", "link");
  assert.equal(await control(), "client");
  await api.call("POST", `/sessions/${id}/handover`, { reason: "sign in" });
  await handovers.setControl(id, "client", "link");
  await handovers.setControl(id, "shared", "link");
  assert.equal(await control(), "human");
  const { body } = await api.call(
    "GET",
    "/events?type=session.control_changed",
  );
  const changes: { data: Record<string, string> }[] = body.items;
  assert.deepEqual(
    changes.map(({ data }) => [data.previous, data.control]),
    [["client", "shared"], ["shared", "client"], ["client", "human"]],
  );
});

Deno.test("control of a viewer whose server is gone is given back to the client, with an event", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const api = createApiClient(grid);
  const { handovers } = grid;
  assert.ok(handovers);
  await api.pool();
  const { claimed: { id } } = await api.running();
  const control = async () =>
    (await api.call("GET", `/sessions/${id}`)).body.control;
  await handovers.setControl(id, "shared", "link");
  clock.advance(10_000);
  // Its server is still there.
  await handovers.setControl(id, "shared", "link");
  clock.advance(10_000);
  await handovers.resolveDue();
  assert.equal(await control(), "shared");
  clock.advance(10_000);
  await handovers.resolveDue();
  assert.equal(await control(), "client");
  await handovers.resolveDue();
  const { body } = await api.call(
    "GET",
    "/events?type=session.control_changed",
  );
  const changes: { data: Record<string, unknown> }[] = body.items;
  assert.deepEqual(
    changes.map(({ data }) => [data.control, data.by]),
    [["shared", "link"], ["client", null]],
  );
  // A request is not ended by the control of a viewer before it.
  await handovers.setControl(id, "shared", "link");
  await api.call("POST", `/sessions/${id}/handover`, { reason: "sign in" });
  clock.advance(20_000);
  await handovers.resolveDue();
  assert.equal(await control(), "human");
});

Deno.test("a viewer's control ends with the session", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { claimed: { id } } = await api.running();
  await grid.handovers?.setControl(id, "shared", "link");
  await api.call("DELETE", `/sessions/${id}?force=true`);
  assert.equal(
    (await api.call("GET", `/sessions/${id}`)).body.control,
    "client",
  );
  await grid.handovers?.setControl(id, "shared", "link");
  assert.equal(
    (await api.call("GET", `/sessions/${id}`)).body.control,
    "client",
  );
});

Deno.test("the states of any number of sessions, and which of them are held, are one round trip each", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const { handovers } = grid;
  assert.ok(handovers);
  await api.pool();
  const ids: string[] = [];
  for (const hold of [true, false, undefined]) {
    const { claimed: { id } } = await api.running();
    ids.push(id);
    if (hold === undefined) continue;
    const body = { reason: "sign in", hold };
    await api.call("POST", `/sessions/${id}/handover`, body);
  }
  const { db } = grid.core;
  // The first call loads the queries.
  await handovers.states(ids);
  const before = db.trips();
  const states = await handovers.states([...ids, crypto.randomUUID()]);
  assert.equal(db.trips() - before, 1);
  assert.deepEqual(
    ids.map((
      id,
    ) => [states.get(id)?.control, states.get(id)?.handover?.reason]),
    [["human", "sign in"], ["human", "sign in"], ["client", undefined]],
  );
  assert.equal(states.size, 3);
  assert.deepEqual([...await handovers.readHolds(ids)].map(([id]) => id), [
    ids[0],
  ]);
  assert.equal(db.trips() - before, 2);
});
