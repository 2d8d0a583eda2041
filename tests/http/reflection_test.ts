import assert from "node:assert/strict";
import { BOOTSTRAP_KEY } from "../support/keys.ts";
import { testGrid } from "../support/grid.ts";
import { logRecords } from "../support/log_records.ts";
import { rawHttp } from "../support/raw_http.ts";

const HANDSHAKE =
  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

Deno.test("a path of 58 KB is rejected with 414 within a second, without a key, and its log line is short", async () => {
  await using grid = await testGrid({
    listen: true,
    settings: { api_key: BOOTSTRAP_KEY },
  });
  await using log = await logRecords();
  const path = `/v1/${"a-".repeat(29_000)}`;
  for (const handshake of ["", HANDSHAKE]) {
    const startedAt = performance.now();
    using client = await rawHttp(
      grid.url,
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${
        handshake || "Connection: close\r\n"
      }\r\n`,
    );
    const { status, code, text } = await client.closed;
    assert.deepEqual([status, code], [414, "uri_too_long"]);
    assert.ok(text.length < 2_000, `${text.length} characters`);
    assert.ok(performance.now() - startedAt < 1_000);
  }
  for (const { properties } of log.records) {
    assert.ok(JSON.stringify(properties).length < 2_000);
  }
  assert.ok(log.records.length >= 2);
});

Deno.test("client input is truncated in responses: names of members, values, types, paths, 200,000 faults", async () => {
  await using grid = await testGrid();
  const long = "x".repeat(1_900_000);
  const json = (value: unknown) => ({
    method: "POST",
    body: JSON.stringify(value),
    headers: { "content-type": "application/json" },
  });
  const many = Object.fromEntries(
    Array.from({ length: 100_000 }, (_, at) => [`k${at}`, at]),
  );
  const refused: readonly (readonly [string, RequestInit])[] = [
    ["/v1/sessions", json({ [long]: 1 })],
    ["/v1/sessions", json({ environment: { [long]: 1 } })],
    ["/v1/sessions", json({ labels: many })],
    ["/v1/sessions", json({ work_pool_id: long })],
    ["/v1/sessions", json({ browser: long })],
    ["/v1/workerpool/pools", json({ name: "a", provider_type: long })],
    [
      "/v1/workerpool/pools",
      json({
        name: "a",
        provider_type: "local",
        provider_config: { [long]: 1 },
      }),
    ],
    ["/v1/sessions", { method: "POST", headers: { "content-type": long } }],
    [`/${"a".repeat(2_000)}`, {}],
    ["/v1/sessions", { headers: { origin: long }, method: "POST" }],
  ];
  for (const [path, init] of refused) {
    const response = await grid.request(path, init);
    const text = await response.text();
    const what = `${path.slice(0, 40)} ${response.status}`;
    assert.ok(response.status >= 400 && response.status < 500, what);
    assert.ok(text.length < 12_000, `${what}: ${text.length} characters`);
    assert.match(JSON.parse(text).detail, /^Cannot /, what);
  }
});
