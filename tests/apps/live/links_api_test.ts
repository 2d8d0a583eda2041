import assert from "node:assert/strict";
import type { KeyedGrid } from "../../support/keys.ts";
import { keyedGrid } from "../../support/keys.ts";
import { type Answer, type Api, assertRefused } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { logRecords } from "../../support/log_records.ts";
import { rawClient } from "../../support/raw_client.ts";
import { startUpstream } from "../../support/upstream.ts";
import { startOwnedSession } from "../../gateway/owned_session.ts";

const UNKNOWN = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";

/** Reads the events of links that a caller sees. */
async function readEvents(api: Api): Promise<Answer["body"][]> {
  const { body } = await api.call("GET", "/events?type=live_link.*");
  return body.items;
}

/** Starts a grid with a session of a client key. */
async function openScene(settings: Readonly<Record<string, unknown>> = {}) {
  const clock = createFakeClock();
  const grid = await keyedGrid({ clock, settings });
  await grid.admin.pool();
  const { key, id: keyId } = await grid.key();
  const owner = grid.as(key);
  const { id, ...session } = await owner.session();
  return {
    grid,
    clock,
    keyId,
    owner,
    other: await grid.asNew(),
    session,
    id,
    path: `/sessions/${id}/live-links`,
    [Symbol.asyncDispose]: () => grid[Symbol.asyncDispose](),
  };
}

Deno.test("a client creates a link of its own session, which only that response contains", async () => {
  await using s = await openScene({ public_url: "https://grid.example/base/" });
  const created = await s.owner.call("POST", s.path);
  assert.equal(created.status, 201, created.text);
  assert.equal(created.headers.get("cache-control"), "no-store");
  const { url, ...link } = created.body;
  assert.match(url, /^https:\/\/grid\.example\/base\/live#lv_[\w-]{43}$/);
  const [, token = ""] = url.split("#");
  assert.deepEqual({ ...link, id: undefined }, {
    id: undefined,
    session_id: s.id,
    mode: "view",
    status: "active",
    note: "",
    created_by: s.keyId,
    created_at: "2026-01-01T00:00:00.000Z",
    expires_at: "2026-01-01T01:00:00.000Z",
    revoked_at: null,
  });
  const second = await s.owner.call("POST", s.path, {
    mode: "control",
    expires_in_seconds: 60,
    note: " for Anna ",
  });
  const { url: _, ...control } = second.body;
  assert.deepEqual(
    [control.mode, control.note, control.expires_at],
    ["control", "for Anna", "2026-01-01T00:01:00.000Z"],
  );
  for (const api of [s.owner, s.grid.admin]) {
    const list = await api.call("GET", s.path);
    assert.deepEqual(list.body, { items: [control, link] });
    assert.ok(!list.text.includes("lv_"));
  }
  const events = await s.owner.call("GET", "/events?type=*");
  assert.ok(!events.text.includes(token.slice(3)));
});

Deno.test("a link ends with its session at the latest, and is revoked or expired in the list", async () => {
  await using s = await openScene();
  const long = { expires_in_seconds: 7 * 86_400 };
  const { body: capped } = await s.owner.call("POST", s.path, long);
  assert.equal(capped.expires_at, s.session.expires_at);
  const { body: short } = await s.owner.call("POST", s.path, {
    expires_in_seconds: 1,
  });
  await s.owner.call("DELETE", `${s.path}/${capped.id}`);
  s.clock.advance(1_000);
  const { body: { items } } = await s.owner.call("GET", s.path);
  assert.deepEqual(
    items.map((each: Answer["body"]) => [each.id, each.status]),
    [[short.id, "expired"], [capped.id, "revoked"]],
  );
  assert.equal(items[1].revoked_at, "2026-01-01T00:00:00.000Z");
});

Deno.test("links of a session do not exist for other clients, who cannot find out if it does", async () => {
  await using s = await openScene();
  const { body: link } = await s.owner.call("POST", s.path);
  const unknown = `/sessions/${UNKNOWN}/live-links`;
  for (const path of [s.path, unknown, "/sessions/nonsense/live-links"]) {
    for (
      const [method, below] of [
        ["POST", ""],
        ["GET", ""],
        ["DELETE", `/${link.id}`],
      ] as const
    ) {
      const refused = await s.other.call(method, path + below);
      const expected = { status: 404, code: "session_not_found" };
      assertRefused(refused, expected);
    }
  }
  const { body: { items } } = await s.owner.call("GET", s.path);
  assert.deepEqual(
    items.map((each: Answer["body"]) => each.status),
    ["active"],
  );
  assert.deepEqual(await readEvents(s.other), []);
});

Deno.test("revoking a link is idempotent, and works only under its own session", async () => {
  await using s = await openScene();
  const { body: link } = await s.owner.call("POST", s.path);
  const { body: second } = await s.owner.call("POST", s.path);
  const { id: otherId } = await s.owner.session();
  for (
    const path of [
      `/sessions/${otherId}/live-links/${link.id}`,
      `${s.path}/${UNKNOWN}`,
      `${s.path}/nonsense`,
    ]
  ) {
    assertRefused(await s.owner.call("DELETE", path), {
      status: 404,
      code: "live_link_not_found",
    });
  }
  for (let time = 0; time < 2; time++) {
    const revoked = await s.owner.call("DELETE", `${s.path}/${link.id}`);
    assert.deepEqual([revoked.status, revoked.text], [204, ""]);
  }
  s.clock.advance(3_600_000);
  await s.grid.admin.call("DELETE", `${s.path}/${second.id}`);
  const { body: { items } } = await s.owner.call("GET", s.path);
  assert.deepEqual(
    items.map((each: Answer["body"]) => each.status),
    ["expired", "revoked"],
  );
  const events = await readEvents(s.owner);
  assert.deepEqual(
    events.map(({ type, session_id, data }) => [type, session_id, data]),
    [
      ["live_link.created", s.id, {
        link_id: link.id,
        mode: "view",
        expires_at: link.expires_at,
        created_by: s.keyId,
      }],
      ["live_link.created", s.id, {
        link_id: second.id,
        mode: "view",
        expires_at: second.expires_at,
        created_by: s.keyId,
      }],
      ["live_link.revoked", s.id, {
        link_id: link.id,
        mode: "view",
        expires_at: link.expires_at,
        revoked_by: s.keyId,
      }],
    ],
  );
});

Deno.test("a link is not created for a session that has ended, over the limit, or with a wrong body", async () => {
  await using s = await openScene();
  for (
    const body of [
      { mode: "admin" },
      { expires_in_seconds: 0 },
      { expires_in_seconds: 7 * 86_400 + 1 },
      { expires_in_seconds: "3600" },
      { note: "a".repeat(201) },
      { token: "lv_mine" },
      [],
    ]
  ) {
    const refused = await s.owner.call("POST", s.path, body);
    assert.deepEqual([refused.status, refused.body.code], [
      422,
      "invalid_request",
    ]);
  }
  for (let at = 0; at < 100; at++) await s.owner.call("POST", s.path);
  const limited = await s.owner.call("POST", s.path);
  assertRefused(limited, { status: 409, code: "live_link_limit" }, /100/);
  assert.equal((await readEvents(s.owner)).length, 100);
  await s.owner.call("DELETE", `/sessions/${s.id}`);
  const ended = await s.owner.call("POST", s.path);
  assertRefused(ended, { status: 410, code: "session_ended" });
  const { body: session } = await s.owner.call("GET", `/sessions/${s.id}`);
  assert.equal(session.live_url, null);
  const { body: { items } } = await s.owner.call("GET", s.path);
  const statuses = items.map((each: Answer["body"]) => each.status);
  assert.deepEqual(statuses, Array(100).fill("expired"));
});

Deno.test("live_url is the address of the session's live view, and null with live_view false, which accepts no link", async () => {
  await using on = await openScene({ public_url: "https://grid.example/base" });
  assert.equal(
    on.session.live_url,
    `https://grid.example/base/ui/sessions/${on.id}/live`,
  );
  await using off = await openScene({ live_view: false });
  assert.equal(off.session.live_url, null);
  const refused = await off.owner.call("POST", off.path);
  assertRefused(refused, { status: 403, code: "live_view_off" });
  assert.deepEqual((await off.owner.call("GET", off.path)).body, { items: [] });
});

/** Returns the status of the response to a WebSocket handshake. */
async function requestUpgrade(
  grid: KeyedGrid,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number> {
  const url = `${grid.url.replace("http", "ws")}${path}`;
  using client = await rawClient(url, headers);
  return Number(/^HTTP\/1.1 (\d+)/.exec(client.head)?.[1]);
}

Deno.test("the token of a link opens neither CDP nor the API, in any place of a request", async () => {
  await using upstream = await startUpstream();
  await using grid = await keyedGrid({ listen: true });
  const { owner, claimed: { id } } = await startOwnedSession(
    grid,
    upstream.endpoint,
  );
  const { body } = await owner.call("POST", `/sessions/${id}/live-links`, {
    mode: "control",
  });
  const [, token = ""] = body.url.split("#");
  const places: readonly (readonly [string, Record<string, string>])[] = [
    ["", { "x-api-key": token }],
    ["", { authorization: `Bearer ${token}` }],
    ["", { cookie: `browsergrid_key=${token}` }],
    ["", { "sec-websocket-protocol": `browsergrid.token.${token}` }],
    [`?token=${token}`, {}],
  ];
  for (const [query, headers] of places) {
    for (const path of [`/v1/sessions/${id}/cdp`, "/v1/connect"]) {
      assert.equal(await requestUpgrade(grid, path + query, headers), 401);
    }
    for (
      const path of [
        ...["/v1/sessions", `/v1/sessions/${id}`, "/v1/auth/caller"],
        ...[`/v1/sessions/${id}/live-links`, `/v1/sessions/${id}/screenshot`],
        ...[`/v1/sessions/${id}/cdp/json/version`, "/metrics"],
      ]
    ) {
      const response = await fetch(grid.url + path + query, { headers });
      assert.equal(response.status, 401, path);
      await response.body?.cancel();
    }
  }
});

Deno.test("the log contains no token of a link, however it is misused", async () => {
  await using logged = await logRecords();
  await using s = await openScene({ log_level: "debug" });
  const { body } = await s.owner.call("POST", s.path, { mode: "control" });
  const [, token = ""] = body.url.split("#");
  await s.grid.live?.openLink(token);
  for (const path of ["/live", `/live?${token}`, `/ui/live?token=${token}`]) {
    const response = await s.grid.request(path);
    await response.body?.cancel();
  }
  const denied = await s.grid.as(token).call("GET", "/sessions");
  assert.equal(denied.status, 401);
  assert.ok(!denied.text.includes(token.slice(3)));
  assert.ok(logged.records.length > 0);
  const text = JSON.stringify(logged.records);
  assert.ok(!text.includes(token.slice(3)), text);
});
