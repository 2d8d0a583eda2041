import assert from "node:assert/strict";
import { testGrid } from "../../support/grid.ts";
import { eventually } from "../../support/eventually.ts";
import {
  RECEIVER_SETTINGS,
  startReceiver,
  verifySignature,
} from "../../support/webhook_receiver.ts";
import { createWebhook, sendingGrid } from "./scene.ts";

Deno.test("410 disables a webhook and records an event, which other webhooks receive", async () => {
  await using receiver = await startReceiver(({ path }) => ({
    status: path === "/gone" ? 410 : 204,
  }));
  const { grid, api } = await sendingGrid();
  await using _grid = grid;
  await api.pool();
  const gone = await createWebhook(api, new URL("/gone", receiver.url).href, {
    event_pattern: "*",
  });
  await createWebhook(api, receiver.url, { event_pattern: "webhook.*" });
  await api.session();
  await eventually("the other webhook receives the event", () => {
    const sent = receiver.received.filter(({ body }) =>
      body.type === "webhook.disabled"
    );
    assert.equal(sent.length, 1);
    assert.equal(sent[0]?.path, "/hook");
    assert.equal(sent[0]?.body.data.event.data.webhook_id, gone.id);
    return Promise.resolve(sent);
  });
  const { body } = await api.call("GET", gone.path);
  assert.deepEqual([body.active, body.inactive_reason], [false, "gone"]);
  const asked = await api.call("POST", `${gone.path}/test`);
  assert.equal(asked.body.code, "webhook_inactive");
});

Deno.test("a webhook that fails for five days is paused and says so as an event", async () => {
  await using receiver = await startReceiver(() => ({ status: 503 }));
  const { grid, api } = await sendingGrid();
  await using _grid = grid;
  await api.pool();
  const { id, path } = await createWebhook(api, receiver.url);
  await api.session();
  await eventually(
    "it fails",
    async () => (await api.call("GET", path)).body.failing_since !== null,
  );
  await grid.core.db.client.execute({
    sql: "UPDATE webhooks SET failing_since = failing_since - ?",
    args: [5 * 86_400_000],
  });
  await api.session();
  await eventually("it is paused", async () => {
    const { body } = await api.call("GET", path);
    return !body.active && body.inactive_reason === "failing";
  });
  const { body } = await api.call("GET", "/events?type=webhook.*");
  assert.deepEqual(
    body.items.map((each: { type: string; data: unknown }) => [
      each.type,
      each.data,
    ]),
    [["webhook.paused", {
      webhook_id: id,
      name: "a",
      reason: "every attempt of five days failed",
    }]],
  );
  const again = await api.call("PATCH", path, { active: true });
  assert.deepEqual(
    [again.body.active, again.body.failing_since, again.body.failures],
    [true, null, 0],
  );
});

Deno.test("requests have a signature of each secret while the secret is rotated, and one afterwards", async () => {
  await using receiver = await startReceiver();
  const { grid, api } = await sendingGrid();
  await using _grid = grid;
  const { path, secret } = await createWebhook(api, receiver.url);
  const rotate = async (overlap_seconds: number) => {
    const { status, body, text } = await api.call(
      "POST",
      `${path}/rotate-secret`,
      { overlap_seconds },
    );
    assert.equal(status, 200, text);
    return body.secret;
  };
  const second = await rotate(60);
  await api.call("POST", `${path}/test`);
  const [both] = await receiver.waitFor(1);
  assert.ok(both);
  verifySignature(both, secret);
  verifySignature(both, second);
  const third = await rotate(0);
  await api.call("POST", `${path}/test`);
  const [, one] = await receiver.waitFor(2);
  assert.ok(one);
  verifySignature(one, third);
  assert.throws(() => verifySignature(one, second));
});

Deno.test("attempts of one webhook are limited, and do not delay those of another one", async () => {
  const hanging = Promise.withResolvers<void>();
  await using slow = await startReceiver(async () => {
    await hanging.promise;
    return { status: 200 };
  });
  await using quick = await startReceiver();
  const { grid, api } = await sendingGrid();
  await using _grid = grid;
  await api.pool();
  await createWebhook(api, slow.url);
  await createWebhook(api, quick.url);
  for (let count = 0; count < 30; count++) await api.session();
  await quick.waitFor(60);
  assert.ok(slow.mostAtOnce() <= 10, String(slow.mostAtOnce()));
  hanging.resolve();
  await slow.waitFor(60);
});

Deno.test("two servers deliver each event once and in order", async () => {
  await using receiver = await startReceiver(async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return { status: 200 };
  });
  const { grid, api } = await sendingGrid();
  await using _grid = grid;
  await using _other = await testGrid({
    listen: true,
    dataDir: grid.dataDir,
    settings: RECEIVER_SETTINGS,
  });
  await api.pool();
  const { path } = await createWebhook(api, receiver.url);
  const ids: string[] = [];
  for (let count = 0; count < 20; count++) {
    ids.push((await api.session()).id);
  }
  for (const id of ids) await api.call("DELETE", `/sessions/${id}`);
  const received = await receiver.waitFor(60);
  const keys = received.map(({ headers }) => headers.get("webhook-id"));
  assert.equal(new Set(keys).size, 60);
  for (const id of ids) {
    const sequences = received.filter(({ body }) => body.data.session.id === id)
      .map(({ body }) => body.data.event.sequence);
    assert.equal(sequences.length, 3);
    assert.deepEqual(sequences, sequences.toSorted((a, b) => a - b));
  }
  await eventually("every request is answered", async () => {
    const { body } = await api.call("GET", `${path}/deliveries?status=pending`);
    return body.items.length === 0;
  });
});
