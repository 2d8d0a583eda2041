import assert from "node:assert/strict";
import type { Answer } from "../../support/api.ts";
import { eventually } from "../../support/eventually.ts";
import {
  type ReceivedRequest,
  startReceiver,
  verifySignature,
} from "../../support/webhook_receiver.ts";
import { createWebhook, sendingGrid, waitForDelivery } from "./scene.ts";

const listTypes = (received: readonly ReceivedRequest[]) =>
  received.map(({ body }) => body.type);

Deno.test("events of a session are delivered at once, in order, signed and with the webhook's headers", async () => {
  await using receiver = await startReceiver();
  const { grid, api } = await sendingGrid();
  await using _grid = grid;
  await api.pool();
  const { secret, id, path } = await createWebhook(api, receiver.url, {
    headers: { Authorization: "Bearer x" },
  });
  const { claimed } = await api.running({ labels: { team: "a" } });
  const received = await receiver.waitFor(4);
  assert.deepEqual(listTypes(received), [
    "session.created",
    "session.assigned",
    "session.starting",
    "session.running",
  ]);
  for (const each of received) {
    verifySignature(each, secret);
    const { sequence } = each.body.data.event;
    assert.equal(each.headers.get("webhook-id"), `evt_${sequence}_${id}`);
    assert.equal(each.headers.get("authorization"), "Bearer x");
    assert.equal(each.headers.get("content-type"), "application/json");
    assert.equal(each.body.data.session.id, claimed.id);
    assert.equal(each.body.data.session.connect_url, undefined);
    assert.ok(Date.parse(each.body.timestamp) > 0);
  }
  const last = await waitForDelivery(api, path, ({ ended_at }) => ended_at);
  assert.deepEqual(
    [last.status, last.status_code, last.attempts, last.error],
    ["delivered", 204, 1, null],
  );
});

Deno.test("connect_url is sent only for a running session, and only if it is asked for", async () => {
  await using receiver = await startReceiver();
  const { grid, api } = await sendingGrid();
  await using _grid = grid;
  await api.pool();
  await createWebhook(api, receiver.url, { include_connect_url: true });
  await api.running();
  const urls = (await receiver.waitFor(4)).map(({ body }) =>
    body.data.session.connect_url
  );
  assert.deepEqual(urls.slice(0, 3), [undefined, undefined, undefined]);
  assert.match(urls[3], /^ws:\/\/.*\/cdp\?token=ct_/);
});

Deno.test("a failed delivery is repeated with the same id, and the next one of its session waits", async () => {
  await using receiver = await startReceiver((_, count) =>
    count === 0
      ? { status: 500, body: "broken".repeat(2_000) }
      : { status: 200 }
  );
  const { grid, api } = await sendingGrid();
  await using _grid = grid;
  await api.pool();
  const { path, id } = await createWebhook(api, receiver.url);
  const session = await api.session();
  const first: Answer["body"] = await eventually(
    "the first one has failed",
    async () => {
      const { body } = await api.call("GET", `${path}/deliveries`);
      const first = body.items.at(-1);
      assert.equal(first?.status_code, 500);
      return first;
    },
  );
  assert.deepEqual([first.status, first.attempts], ["pending", 1]);
  assert.equal(first.response.length, 4_096);
  const pause = Date.parse(first.next_attempt_at) - Date.now();
  assert.ok(pause > 2_000 && pause <= 5_000, String(pause));
  // Another session is not held up.
  const other = await api.session();
  await receiver.waitFor(3);
  const subjects = receiver.received.slice(1).map(({ body }) =>
    body.data.session.id
  );
  assert.deepEqual(subjects, [other.id, other.id]);
  const failing = (await api.call("GET", path)).body;
  assert.deepEqual(failing.id, id);
  const retried = await api.call(
    "POST",
    `${path}/deliveries/${first.id}/retry`,
  );
  assert.equal(retried.status, 202, retried.text);
  const received = await receiver.waitFor(5);
  assert.deepEqual(
    received.slice(3).map(({ body }) => [body.type, body.data.session.id]),
    [["session.created", session.id], ["session.assigned", session.id]],
  );
  assert.equal(
    received[0]?.headers.get("webhook-id"),
    received[3]?.headers.get("webhook-id"),
  );
  assert.equal(received[0]?.text, received[3]?.text);
  await waitForDelivery(api, path, ({ status }) => status === "delivered");
  const { body: healthy } = await api.call("GET", path);
  assert.deepEqual([healthy.failing_since, healthy.failures], [null, 0]);
});

Deno.test("a receiver that hangs, redirects or breaks the connection fails an attempt, and is not followed", async () => {
  await using elsewhere = await startReceiver();
  const hanging = Promise.withResolvers<void>();
  await using receiver = await startReceiver(async ({ path }) => {
    if (path === "/redirect") {
      return { status: 307, headers: { location: elsewhere.url } };
    }
    await hanging.promise;
    return { status: 200 };
  });
  const { grid, api } = await sendingGrid();
  await using _grid = grid;
  const cases = [
    ["/redirect", /^The receiver responded with 307$/],
    ["/hang", /^Timed out after 1 s$/],
  ] as const;
  for (const [path, error] of cases) {
    const webhook = await createWebhook(
      api,
      new URL(path, receiver.url).href,
      { timeout_seconds: 1 },
    );
    await api.call("POST", `${webhook.path}/test`);
    const failed = await waitForDelivery(
      api,
      webhook.path,
      ({ ended_at }) => ended_at,
    );
    assert.equal(failed.status, "failed");
    assert.match(failed.error, error);
  }
  hanging.resolve();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { path } = await createWebhook(
    api,
    `http://127.0.0.1:${listener.addr.port}/`,
  );
  await api.call("POST", `${path}/test`);
  (await listener.accept()).close();
  const broken = await waitForDelivery(api, path, ({ ended_at }) => ended_at);
  assert.deepEqual([broken.status, broken.status_code], ["failed", null]);
  assert.deepEqual(elsewhere.received, []);
});

Deno.test("a response whose body is slow counts by its status", async () => {
  const end = Promise.withResolvers<void>();
  await using receiver = await startReceiver(() => ({
    status: 200,
    body: "start",
    until: end.promise,
  }));
  const { grid, api } = await sendingGrid();
  await using _grid = grid;
  const { path } = await createWebhook(api, receiver.url, {
    timeout_seconds: 1,
  });
  await api.call("POST", `${path}/test`);
  const { status, response } = await waitForDelivery(
    api,
    path,
    ({ ended_at }) => ended_at,
  );
  assert.deepEqual([status, response], ["delivered", "start"]);
  end.resolve();
});
