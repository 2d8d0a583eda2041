import assert from "node:assert/strict";
import { hostApi } from "../../../src/hosted.ts";
import { createHostMatcher } from "../../../src/http/server/known_hosts.ts";
import { isHostEntry } from "../../../src/core/network.ts";
import { BOOTSTRAP_KEY } from "../../support/keys.ts";
import { testGrid } from "../../support/grid.ts";
import { rawHttp } from "../../support/raw_http.ts";
import { createApiClient } from "../../support/api.ts";

const SETTINGS = {
  host: "127.0.0.1",
  api_url: "http://127.0.0.1:8765",
  allowed_hosts: [],
};

const REBOUND = "rebound.example:8765";

const HANDSHAKE = {
  "Connection": "Upgrade",
  "Upgrade": "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
};

/** Returns the response to a handwritten request. */
async function answered(
  url: string,
  line: string,
  headers: Readonly<Record<string, string>>,
) {
  const lines = Object.entries({ Connection: "close", ...headers }).map((
    [name, value],
  ) => `${name}: ${value}\r\n`);
  using client = await rawHttp(
    url,
    `${line} HTTP/1.1\r\n${lines.join("")}\r\n`,
  );
  return await client.closed;
}

Deno.test("createHostMatcher() accepts loopback, the host of each URL, the listening address and allowed_hosts", () => {
  const isKnown = createHostMatcher({
    ...SETTINGS,
    public_url: "https://Grid.example/prefix",
    replica_url: "http://replica.example:8765",
    allowed_hosts: ["other.example", "*.wild.example", "fd00::5"],
  });
  for (
    const host of [
      ...["localhost", "localhost:1", "LOCALHOST", "localhost.", "a.localhost"],
      ...["127.0.0.1", "127.0.0.1:8765", "127.9.9.9", "127.1", "[::1]:8765"],
      ...["grid.example", "GRID.example:443", "replica.example"],
      ...["other.example:80", "a.wild.example", "a.b.wild.example"],
      "[fd00::5]:8765",
    ]
  ) assert.ok(isKnown(host), host);
  for (
    const host of [
      ...["rebound.example", "localhost.rebound.example", "", " ", "a b", "@"],
      ...["grid.example.evil.example", "evilgrid.example", "wild.example"],
      ...["evilwild.example", "10.0.0.1", "192.0.2.1:8765", "[fd00::6]"],
      ...["localhost@evil.example", "localhost/evil", "localhost,evil"],
      ...["127.0.0.1.evil.example", "localhost:99999", "0.0.0.0"],
    ]
  ) assert.ok(!isKnown(host), host);
});

Deno.test("createHostMatcher() of a server beyond loopback accepts every address, because rebinding needs a name", () => {
  const isKnown = createHostMatcher({ ...SETTINGS, host: "0.0.0.0" });
  for (
    const host of ["10.0.0.1:8765", "[2001:db8::1]", "0.0.0.0", "192.0.2.1"]
  ) {
    assert.ok(isKnown(host), host);
  }
  assert.ok(!isKnown("rebound.example"));
  assert.ok(
    createHostMatcher({ ...SETTINGS, host: "box.lan" })("box.lan:8765"),
  );
  assert.ok(createHostMatcher({ ...SETTINGS, host: "::1" })("[::1]:8765"));
  assert.ok(
    createHostMatcher({ ...SETTINGS, allowed_hosts: ["*"] })("any.example"),
  );
});

Deno.test("allowed_hosts accepts only names, addresses and stars before a dot", () => {
  for (const entry of ["grid.example", "*.a.example", "10.0.0.1", "::1", "*"]) {
    assert.ok(isHostEntry(entry), entry);
  }
  for (
    const entry of [
      ...["", "http://grid.example", "grid.example:80", "a*.example", "*.*"],
      ...["a/b", "a b", "user@grid.example", "a,b"],
    ]
  ) assert.ok(!isHostEntry(entry), entry);
});

Deno.test("a grid without keys rejects every method and socket under a foreign name", async () => {
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session();
  const paths = [
    ...["/health", "/ready", "/docs", "/openapi.json", "/nowhere", "/"],
    ...[
      "/v1/sessions",
      `/v1/sessions/${id}`,
      "/v1/keys",
      "/v1/workerpool/pools",
    ],
    ...[`/v1/sessions/${id}/cdp/json`, "/v1/connect/json/version"],
  ];
  for (const path of paths) {
    for (const method of ["GET", "HEAD", "OPTIONS", "POST", "DELETE", "PUT"]) {
      const { status, text } = await answered(grid.url, `${method} ${path}`, {
        Host: REBOUND,
      });
      assert.equal(status, 403, `${method} ${path} ${text}`);
      assert.doesNotMatch(text, new RegExp(`${id}|"items"|"status":"ok"`));
    }
  }
  for (const path of ["/v1/connect", `/v1/sessions/${id}/cdp`, "/other"]) {
    const { status, code } = await answered(grid.url, `GET ${path}`, {
      Host: REBOUND,
      ...HANDSHAKE,
    });
    assert.deepEqual([status, code], [403, "host_not_allowed"], path);
  }
  const absolute = await answered(
    grid.url,
    `GET http://${REBOUND}/v1/sessions`,
    { Host: "127.0.0.1" },
  );
  assert.deepEqual([absolute.status, absolute.code], [403, "host_not_allowed"]);
  const own = await answered(grid.url, "GET /v1/sessions", {
    Host: new URL(grid.url).host,
  });
  assert.equal(own.status, 200);
});

Deno.test("a grid without keys accepts the hosts of allowed_hosts and public_url", async () => {
  await using grid = await testGrid({
    listen: true,
    settings: {
      allowed_hosts: "grid.lan, *.wild.example",
      public_url: "https://grid.example",
    },
  });
  for (const host of ["grid.lan", "a.wild.example:1", "grid.example"]) {
    const line = "GET /v1/sessions";
    const { status } = await answered(grid.url, line, { Host: host });
    assert.equal(status, 200, host);
  }
});

Deno.test("a request with a key may use any name; without a key only probes may", async () => {
  await using grid = await testGrid({
    listen: true,
    settings: { api_key: BOOTSTRAP_KEY },
  });
  const ask = async (path: string, headers = {}) => {
    const { status } = await answered(grid.url, `GET ${path}`, {
      Host: "browsergrid:8765",
      ...headers,
    });
    return status;
  };
  assert.equal(await ask("/v1/sessions", { "X-API-Key": BOOTSTRAP_KEY }), 200);
  assert.equal(await ask("/v1/sessions"), 401);
  assert.equal(await ask("/health"), 200);
  assert.equal(await ask("/ready"), 200);
  assert.equal(await ask("/docs"), 403);
  assert.equal(await ask("/openapi.json"), 403);
});

Deno.test("the hosted API checks its hosts too", async () => {
  using api = hostApi({
    BROWSERGRID_DATABASE_URL: "http://127.0.0.1:9",
    BROWSERGRID_PUBLIC_URL: "https://grid.example",
    BROWSERGRID_API_KEY: BOOTSTRAP_KEY,
    BROWSERGRID_ENCRYPTION_KEY: "5e".repeat(32),
    BROWSERGRID_LOG_LEVEL: "error",
  });
  const readStatus = async (url: string) => {
    const response = await api.fetch(new Request(url));
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await readStatus("https://grid.example/docs"), 200);
  assert.equal(await readStatus("https://rebound.example/docs"), 403);
  assert.equal(await readStatus("https://rebound.example/health"), 200);
});

Deno.test("two Host headers are 400, for requests and sockets, with a key or none", async () => {
  await using grid = await testGrid({ listen: true });
  const { host } = new URL(grid.url);
  for (const path of ["/health", "/v1/sessions", "/v1/connect"]) {
    for (const handshake of [{}, HANDSHAKE]) {
      for (const second of [host, REBOUND]) {
        const { status, code } = await answered(grid.url, `GET ${path}`, {
          Host: host,
          HOST: second,
          ...handshake,
        });
        assert.deepEqual([status, code], [400, "malformed_request"], path);
      }
    }
  }
});
