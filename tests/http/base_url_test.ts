import assert from "node:assert/strict";
import { createApiClient } from "../support/api.ts";
import { testGrid } from "../support/grid.ts";
import { BOOTSTRAP_KEY } from "../support/keys.ts";
import { rawClient } from "../support/raw_client.ts";
import { startUpstream } from "../support/upstream.ts";

const FORWARDED = {
  "x-forwarded-proto": "https",
  "x-forwarded-host": "grid.example",
  "x-forwarded-prefix": "/browsers/",
};

const KEYED = { api_key: BOOTSTRAP_KEY };

Deno.test("behind a trusted proxy every URL in responses is the one that the client used", async () => {
  await using upstream = await startUpstream({});
  await using grid = await testGrid({
    listen: true,
    settings: { ...KEYED, trusted_proxies: '["127.0.0.1", "::1"]' },
  });
  const headers = { "x-api-key": BOOTSTRAP_KEY, ...FORWARDED };
  const api = createApiClient(grid, headers);
  await api.pool();
  const { claimed } = await api.running({}, upstream.endpoint);
  const base = `wss://grid.example/browsers/v1/sessions/${claimed.id}/cdp`;
  const session = await api.call("GET", `/sessions/${claimed.id}`);
  assert.ok(session.body.connect_url.startsWith(`${base}?token=`));
  const version = await api.call(
    "GET",
    `/sessions/${claimed.id}/cdp/json/version`,
  );
  assert.ok(version.body.webSocketDebuggerUrl.startsWith(`${base}?token=`));
  const list = await api.call("GET", `/sessions/${claimed.id}/cdp/json`);
  assert.ok(
    list.body[0].webSocketDebuggerUrl.startsWith(`${base}/devtools/page/`),
  );
  assert.match(
    list.body[0].devtoolsFrontendUrl,
    /\?wss=grid\.example%2Fbrowsers%2F/,
  );
  const connect = await api.call("GET", "/connect/json/version?headless=true");
  assert.equal(
    connect.body.webSocketDebuggerUrl,
    "wss://grid.example/browsers/v1/connect?headless=true",
  );
  const document = await grid.request("/openapi.json", { headers });
  const [first] = (await document.json()).servers;
  assert.equal(first.url, "https://grid.example/browsers");
  const made = await api.call("POST", "/sessions", {});
  assert.equal(
    made.headers.get("location"),
    `/browsers/v1/sessions/${made.body.id}`,
  );
  using client = await rawClient(
    `${grid.url.replace("http", "ws")}/v1/sessions/${claimed.id}/cdp`,
    headers,
  );
  assert.match(
    client.head,
    /Browsergrid-Connect-Url: wss:\/\/grid\.example\/browsers\//i,
  );
});

Deno.test("X-Forwarded-… is ignored if it is invalid or not from a trusted proxy", async () => {
  await using grid = await testGrid({
    settings: { ...KEYED, trusted_proxies: '["10.0.0.1"]' },
  });
  const key = { "x-api-key": BOOTSTRAP_KEY };
  const toUrl = async (from: string, headers: Record<string, string>) => {
    const response = await grid.request("/v1/connect/json/version", {
      from,
      headers: { ...key, ...headers },
    });
    return (await response.json()).webSocketDebuggerUrl;
  };
  const own = "ws://localhost/v1/connect";
  assert.equal(await toUrl("10.0.0.2", FORWARDED), own);
  for (
    const [name, value, expected] of [
      ["proto", "javascript", own],
      ["proto", "https, http", "wss://localhost/v1/connect"],
      ["host", "evil.example/path", own],
      ["host", "me@evil.example", own],
      ["host", "grid.example:8443", "ws://grid.example:8443/v1/connect"],
      ["host", "[2001:db8::1]:80", "ws://[2001:db8::1]/v1/connect"],
      ["host", "grid.example:999999", own],
      ["prefix", "//evil.example", own],
      ["prefix", "/a/../b", own],
      ["prefix", "a", own],
      ["prefix", "/a?b", own],
      ["prefix", `/${"a".repeat(300)}`, own],
      ["prefix", "/a/b", "ws://localhost/a/b/v1/connect"],
    ] as const
  ) {
    const headers = { [`x-forwarded-${name}`]: value };
    assert.equal(await toUrl("10.0.0.1", headers), expected, value);
  }
});

Deno.test("public_url takes precedence over proxies, and is in the API document", async () => {
  await using grid = await testGrid({
    settings: {
      ...KEYED,
      public_url: "https://grid.example/prefix/",
      trusted_proxies: '["127.0.0.1"]',
    },
  });
  const headers = { "x-api-key": BOOTSTRAP_KEY, ...FORWARDED };
  const version = await grid.request("/v1/connect/json/version", { headers });
  assert.equal(
    (await version.json()).webSocketDebuggerUrl,
    "wss://grid.example/prefix/v1/connect",
  );
  const document = await grid.request("/openapi.json");
  const { servers } = await document.json();
  assert.deepEqual(
    servers.map(({ url }: { url: string }) => url),
    ["https://grid.example/prefix", "/"],
  );
});

Deno.test("X-Forwarded-Host does not bypass the check of Host", async () => {
  await using grid = await testGrid({
    settings: { trusted_proxies: '["127.0.0.1"]' },
  });
  const readStatus = async (host: string) => {
    const headers = { host, "x-forwarded-host": "localhost" };
    return (await grid.request("/v1/sessions", { headers })).status;
  };
  assert.equal(await readStatus("localhost"), 200);
  assert.equal(await readStatus("rebound.example"), 403);
});

Deno.test("/api/v1/… is an alias of /v1/…, and trailing slashes are ignored, for requests and sockets", async () => {
  await using upstream = await startUpstream({});
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool();
  const { claimed } = await api.running({}, upstream.endpoint);
  for (
    const path of [
      ...["/api/v1/sessions", "/v1/sessions/", "/api/v1/sessions/", "/health/"],
      ...[`/api/v1/sessions/${claimed.id}//`, "/api/v1/workerpool/pools/pool/"],
      ...["/v1/connect/json/version/", "/openapi.json/", "/docs", "//"],
      `/api/v1/sessions/${claimed.id}/cdp/json/`,
    ]
  ) {
    const response = await fetch(grid.url + path, { redirect: "manual" });
    await response.body?.cancel();
    assert.equal(response.status, 200, path);
  }
  for (
    const path of [
      "/api",
      "/api/",
      "/api/sessions",
      "/api/api/v1/sessions",
      "/apiv1/sessions",
    ]
  ) {
    const response = await fetch(grid.url + path);
    await response.body?.cancel();
    assert.equal(response.status, 404, path);
  }
  for (
    const path of [
      `/api/v1/sessions/${claimed.id}/cdp`,
      `/v1/sessions/${claimed.id}/cdp/`,
    ]
  ) {
    using client = await rawClient(grid.url.replace("http", "ws") + path);
    assert.match(client.head, /^HTTP\/1\.1 101 /, path);
    assert.match(client.head, new RegExp(`/v1/sessions/${claimed.id}/cdp\r`));
    client.socket.destroy();
  }
});

Deno.test("an alias of a path does not bypass the key", async () => {
  await using grid = await testGrid({ settings: KEYED });
  for (
    const path of [
      "/api/v1/sessions",
      "/v1/sessions/",
      "/api/v1/keys/",
      "/api/v1/sessions/x/cdp/",
    ]
  ) assert.equal((await grid.request(path)).status, 401, path);
});

Deno.test("WebDriver clients get an error in their own format with the alternatives, without a key", async () => {
  await using grid = await testGrid({ settings: KEYED });
  for (const prefix of ["", "/wd/hub"]) {
    for (
      const [method, path, status, error] of [
        ["POST", "/session", 500, "session not created"],
        ["GET", "/session/abc/url", 404, "unknown command"],
        ["DELETE", "/session/abc", 404, "unknown command"],
        ["GET", "/status", 404, "unknown command"],
        ["GET", "/sessions", 404, "unknown command"],
      ] as const
    ) {
      const response = await grid.request(prefix + path, { method });
      assert.equal(response.status, status, path);
      const { value } = await response.json();
      assert.equal(value.error, error, path);
      assert.match(value.message, /connectOverCDP.*\/v1\/sessions/);
      assert.equal(value.stacktrace, "");
    }
  }
  assert.equal((await grid.request("/statuses")).status, 401);
  assert.equal((await grid.request("/v1/session")).status, 401);
});
