import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";
import { startReceiver } from "../../support/webhook_receiver.ts";
import { createWebhook, sendingGrid } from "../webhooks/scene.ts";

/** Returns the token of the address of a live view. */
function parseToken(url: string): string {
  const [, token = ""] = /\/live#(lv_[\w-]+)$/.exec(url) ?? [];
  assert.notEqual(token, "", url);
  return token;
}

Deno.test("a request has a link with control for the person, shown once and revoked with the end", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const { live } = grid;
  assert.ok(live);
  await api.pool();
  const { claimed: { id } } = await api.running();
  const path = `/sessions/${id}/handover`;
  const { body, headers } = await api.call("POST", path, {
    reason: "sign in",
    timeout_seconds: 60,
  });
  const token = parseToken(body.live_url);
  assert.equal(headers.get("cache-control"), "no-store");
  const link = await live.openLink(token);
  assert.deepEqual([link.sessionId, link.mode], [id, "control"]);
  assert.ok(Math.abs(link.expiresAt - Date.parse(body.expires_at)) < 5_000);
  const read = await api.call("GET", path);
  const events = await api.call("GET", "/events");
  for (const { text } of [read, events]) assert.doesNotMatch(text, /lv_/);
  const { rows } = await grid.core.db.client.execute("SELECT * FROM handovers");
  assert.doesNotMatch(JSON.stringify(rows), /lv_/);
  const revoked: string[] = [];
  using _subscription = grid.core.bus.subscribe(({ type, subject }) => {
    if (type === "live_link_revoked") revoked.push(subject);
  });
  await api.call("POST", `${path}/finish`);
  assert.deepEqual(revoked, [link.id]);
  await assert.rejects(live.openLink(token), { code: "live_link_not_valid" });
  const after = await api.call("GET", "/events?type=live_link.revoked");
  assert.equal(after.body.items.length, 1);
  const { rows: [row] } = await grid.core.db.client.execute(
    "SELECT link_token FROM handovers",
  );
  assert.equal(row?.link_token, null);
});

Deno.test("without the live view a request has no link", async () => {
  await using grid = await testGrid({ settings: { live_view: false } });
  const api = createApiClient(grid);
  await api.pool();
  const { claimed: { id } } = await api.running();
  const { status, body } = await api.call("POST", `/sessions/${id}/handover`, {
    reason: "sign in",
  });
  assert.deepEqual([status, body.live_url], [201, null]);
});

for (const include_connect_url of [true, false]) {
  Deno.test(`a webhook with include_connect_url ${include_connect_url} receives the request ${include_connect_url ? "with" : "without"} the link for the person`, async () => {
    await using receiver = await startReceiver();
    const { grid, api } = await sendingGrid();
    await using _grid = grid;
    await api.pool();
    await createWebhook(api, receiver.url, {
      include_connect_url,
      event_pattern: "session.handover_requested",
    });
    const { claimed: { id } } = await api.running();
    const { body } = await api.call("POST", `/sessions/${id}/handover`, {
      reason: "Please sign in",
    });
    const [received] = await receiver.waitFor(1);
    const { session, event } = received?.body.data ?? {};
    assert.equal(event.data.reason, "Please sign in");
    assert.equal(event.data.handover_id, body.id);
    if (!include_connect_url) {
      assert.doesNotMatch(JSON.stringify(received?.body), /lv_|ct_/);
    } else {
      assert.equal(parseToken(session.live_url), parseToken(body.live_url));
    }
  });
}
