import assert from "node:assert/strict";
import { createScene, SECOND } from "./scene.ts";

Deno.test("an ephemeral session without a client ends: a pending one at once, a held one through its worker", async () => {
  await using s = await createScene();
  const { sessions } = s.grid;
  const connect = async () =>
    (await sessions.create({}, { ephemeral: true })).id;
  const held = await connect();
  const worker = await s.api.worker({ capacity: 1 });
  const claimed = await s.api.claim(worker);
  assert.equal(claimed?.id, held);
  const [left, kept, posted] = [
    await connect(),
    await connect(),
    (await s.api.session()).id,
  ];
  s.clock.advance(12 * SECOND);
  await sessions.activity.recordActivity({
    active: [],
    clientsSeen: [kept, posted],
  });
  s.clock.advance(8 * SECOND + 1);
  assert.equal((await s.pass()).abandoned, 2);
  assert.equal((await s.getStatus(left))[0], "terminated");
  assert.equal((await s.getStatus(kept))[0], "pending");
  assert.equal((await s.getStatus(posted))[0], "pending");
  const { body } = await s.api.call(
    "PUT",
    `/workerpool/workers/${worker}/heartbeat`,
    {},
  );
  assert.equal(body.commands[0].session_id, held);
  s.clock.advance(60 * SECOND);
  await s.pass();
  assert.equal((await s.getStatus(posted))[0], "pending", "created by POST");
});

Deno.test("after a server was killed, a session waits for its client for keep_alive, or for the time that a client counts as connected", async () => {
  await using s = await createScene();
  const { sessions } = s.grid;
  const connect = async (keepAliveSeconds?: number) => {
    const { id } = await sessions.create({}, {
      ephemeral: true,
      keepAliveSeconds,
    });
    const worker = await s.api.worker();
    const claimed = await s.api.claim(worker);
    assert.equal(claimed?.id, id);
    assert.ok(claimed);
    const endpoint = "ws://127.0.0.1:9/devtools/browser/x";
    const report = () => s.api.report(worker, claimed, "running", { endpoint });
    await report();
    await sessions.activity.recordConnected(id);
    return { id, report };
  };
  const kept = await connect(60);
  const brief = await connect(5);
  const plain = await connect();
  // From here on, no server reports their clients as connected.
  const orders = async () => {
    for (const { report } of [kept, brief, plain]) await report();
    await s.pass();
    const all = await Promise.all(
      [kept, brief, plain].map(({ id }) => sessions.get(id)),
    );
    return all.map(({ stopStatus, stopReason }) => [stopStatus, stopReason]);
  };
  s.clock.advance(20 * SECOND);
  assert.deepEqual(await orders(), Array(3).fill([null, null]));
  s.clock.advance(1);
  const lost = [
    ["completed", "its client did not come back within 5 s"],
    ["terminated", "its client was lost together with its server"],
  ];
  assert.deepEqual(await orders(), [[null, null], ...lost]);
  s.clock.advance(20 * SECOND);
  await orders();
  s.clock.advance(20 * SECOND);
  assert.deepEqual(await orders(), [
    ["completed", "its client did not come back within 60 s"],
    ...lost,
  ]);
});
