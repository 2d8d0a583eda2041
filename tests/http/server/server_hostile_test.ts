import assert from "node:assert/strict";
import fc from "fast-check";
import { testGrid } from "../../support/grid.ts";
import { logRecords } from "../../support/log_records.ts";
import { rawHttp } from "../../support/raw_http.ts";
import { answerTo, assertServes, head, JSON_TYPE } from "./hostile_client.ts";

const MB = 2 ** 20;

Deno.test("a head that is too large is rejected with 431: one line of 1 MB, a path, or many lines", async () => {
  await using grid = await testGrid({ listen: true });
  const requests = [
    head("GET /health HTTP/1.1", `X-Long: ${"a".repeat(MB)}`),
    head(`GET /${"a".repeat(MB)} HTTP/1.1`),
    head("GET /health HTTP/1.1", ...Array(20_000).fill("X-Many: yes")),
  ];
  for (const request of requests) {
    const { status, code } = await answerTo(grid, request);
    assert.deepEqual([status, code], [431, "headers_too_large"]);
  }
  await assertServes(grid);
});

Deno.test("input that is not HTTP/1.1 gets 400 or no response, and the connection is closed", async () => {
  await using grid = await testGrid({ listen: true });
  const requests = [
    "\0\0\0\0\r\n\r\n",
    "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", // TLS
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "GET / HTTP/1.1\nHost: localhost\n\n",
    "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "GE(T / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\nBad Name: x\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n folded\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    // Two lengths: two servers may disagree about where the body ends.
    `POST / HTTP/1.1\r\nHost: localhost\r\n${JSON_TYPE}\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `POST / HTTP/1.1\r\nHost: localhost\r\n${JSON_TYPE}\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`,
    `POST / HTTP/1.1\r\nHost: localhost\r\n${JSON_TYPE}\r\nContent-Length: -1\r\n\r\n`,
    `POST / HTTP/1.1\r\nHost: localhost\r\n${JSON_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
  ];
  for (const request of requests) {
    const { status, text } = await answerTo(grid, request);
    assert.ok(
      status === undefined || status >= 400 && status < 500,
      request + text,
    );
    assert.ok((text.match(/HTTP\/1\.1 \d/g)?.length ?? 0) <= 1, request + text);
  }
  await assertServes(grid);
});

Deno.test("an obfuscated path is rejected or equals the plain path, and never needs no key", async () => {
  const key = "key-0123456789";
  await using grid = await testGrid({
    listen: true,
    settings: { api_key: key },
  });
  const targets = [
    "//v1/sessions",
    "/v1//sessions",
    "/health/../v1/sessions",
    "/health/%2e%2e/v1/sessions",
    "/health/%2E%2E%2Fv1/sessions",
    "/health/..%2fv1/sessions",
    "/health%2f..%2fv1/sessions",
    "/health\\..\\v1\\sessions",
    "/\\evil.example/",
    "/v1/sessions%00",
    "/v1/sessions/%00",
    "/v1/sessions/%ff%fe",
    "/v1/sessions/%zz",
    "/v1/sessions;/health",
    "/v1/sessions#/health",
    "/v1/sessions/../../../../etc/passwd",
    "/HEALTH/../v1/sessions",
    "http://grid/v1/sessions",
    "http://evil.example/v1/sessions",
    "http://evil.example:99999/v1/sessions",
    "http://[::1/v1/sessions",
    "ftp://grid/v1/sessions",
    "*",
    "v1/sessions",
    "?x",
    `/v1/sessions/${"a/".repeat(20_000)}`,
    `/v1/sessions/${"%2e%2e/".repeat(5_000)}`,
  ];
  for (const target of targets) {
    const { status, text } = await answerTo(
      grid,
      head(`GET ${target} HTTP/1.1`),
    );
    // Some equal "/", which needs no key and shows only addresses.
    const isIndex = status === 200 && text.includes('"name":"browsergrid"');
    assert.ok(
      isIndex || status && [400, 401, 404, 414].includes(status),
      `${target} ${text}`,
    );
    const withKey = await answerTo(
      grid,
      head(`GET ${target} HTTP/1.1`, `X-API-Key: ${key}`),
    );
    assert.ok(
      withKey.status && withKey.status < 500,
      `${target} ${withKey.text}`,
    );
  }
  const health = await fetch(`${grid.url}/health`);
  assert.equal(await health.text(), '{"status":"ok"}');
});

Deno.test("an invalid Host is rejected or has no effect", async () => {
  await using grid = await testGrid({ listen: true });
  for (
    const host of [
      "a b",
      "grid/..",
      "grid@evil",
      "[::1",
      "grid:port",
      "",
      "gr%00id",
      "a".repeat(5_000),
    ]
  ) {
    const { status, text } = await answerTo(grid, withHost(host));
    assert.ok(status && status < 500, host + text);
  }
  await assertServes(grid);
});

function withHost(host: string, ...headers: readonly string[]): string {
  const lines = [`Host: ${host}`, ...headers, "Connection: close"];
  return `GET /health HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

Deno.test("an invalid Host is 400 and not logged as an error; in an upgrade it does not become part of the path", async () => {
  await using grid = await testGrid({ listen: true });
  await using log = await logRecords();
  for (
    const host of [
      "256.1.1.1",
      "1.2.3.4.5",
      "xn--a",
      `xn--a${".a".repeat(20_000)}`,
    ]
  ) {
    const { status, code } = await answerTo(grid, withHost(host));
    assert.deepEqual([status, code], [400, "malformed_request"], host);
  }
  for (
    const host of [
      "",
      "localhost/v1/connect?",
      "localhost#",
      "a@localhost",
      "\\",
    ]
  ) {
    const { status, code } = await answerTo(
      grid,
      withHost(host, "Upgrade: websocket").replace("close", "Upgrade"),
    );
    assert.deepEqual([status, code], [400, "malformed_request"], host);
  }
  assert.deepEqual(log.records.filter(({ level }) => level === "error"), []);
  await assertServes(grid);
});

Deno.test("many pipelined requests, and many clients that leave before their response, are served or dropped", async () => {
  await using grid = await testGrid({ listen: true });
  const pipelined =
    "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(200) +
    head("GET /health HTTP/1.1");
  const { text } = await answerTo(grid, pipelined);
  assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, 201);
  for (let count = 0; count < 100; count++) {
    using _leaver = await rawHttp(
      grid.url,
      "GET /v1/sessions HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
  }
  await assertServes(grid);
});

/** Parts of requests, and other bytes. */
const PIECES = fc.oneof(
  fc.constantFrom(
    "GET /health HTTP/1.1\r\n",
    "POST /v1/sessions HTTP/1.1\r\n",
    "GET /v1/connect HTTP/1.1\r\n",
    "Host: localhost\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 18446744073709551616\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    `${JSON_TYPE}\r\n`,
    "Connection: Upgrade\r\nUpgrade: websocket\r\n",
    "Connection: Upgrade\r\nUpgrade: h2c\r\n",
    "Expect: 100-continue\r\n",
    "Trailer: X\r\n",
    "\r\n",
    "\n",
    ":",
    "5\r\nhello\r\n",
    "ffffffffffffffff\r\n",
    "0\r\n\r\n",
    "{}",
  ).map((text) => new TextEncoder().encode(text)),
  fc.uint8Array({ maxLength: 40 }),
);

Deno.test("for any bytes no response is a 5xx, every connection is closed, and the server continues", async () => {
  await using grid = await testGrid({ listen: true });
  await fc.assert(
    fc.asyncProperty(fc.array(PIECES, { maxLength: 14 }), async (pieces) => {
      using client = await rawHttp(grid.url);
      for (const piece of pieces) client.socket.write(piece);
      client.socket.end();
      const { text } = await client.closed;
      assert.doesNotMatch(text, /HTTP\/1\.1 5\d\d/);
    }),
    { numRuns: 300 },
  );
  await assertServes(grid);
});
