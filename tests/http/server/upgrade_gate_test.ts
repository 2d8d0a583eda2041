import assert from "node:assert/strict";
import { once } from "node:events";
import { z } from "@hono/zod-openapi";
import { beforeAfter, type Middleware } from "../../../src/core/middleware.ts";
import { startServer } from "../../../src/http/server/server.ts";
import { createUpgradeGate } from "../../../src/http/server/upgrade_gate.ts";
import { type UpgradeContext } from "../../../src/core/app.ts";
import { MIDDLEWARE } from "../../../src/installed.ts";
import { answerTo } from "./hostile_client.ts";
import { logRecords } from "../../support/log_records.ts";
import { rawHttp } from "../../support/raw_http.ts";
import { testGrid } from "../../support/grid.ts";
import {
  type ChainedOptions,
  createTestChain,
  createTestRouter,
  KEY,
} from "../../middleware/chained.ts";

/** Starts a server with the real chain and an app that takes sockets of `/v1/socket`. */
async function gated(options: ChainedOptions = {}) {
  const taken: UpgradeContext[] = [];
  const chain = createTestChain(options);
  const router = createTestRouter(options, chain);
  const server = await startServer({
    host: "127.0.0.1",
    port: 0,
    fetch: router.fetch,
    gate: createUpgradeGate(chain, router),
    upgraders: [(_request, socket, _head, context) => {
      const isMine = context.url.pathname === "/v1/socket";
      if (isMine) {
        taken.push(context);
        socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n");
      }
      return Promise.resolve(isMine);
    }],
    graceMs: 100,
  });
  return {
    taken,
    url: `http://127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function upgrade(target: string, ...headers: readonly string[]): string {
  return [
    `GET ${target} HTTP/1.1`,
    "Host: localhost",
    "Connection: Upgrade",
    ...headers.some((line) => line.startsWith("Upgrade:"))
      ? []
      : ["Upgrade: websocket"],
    ...headers,
    "",
    "",
  ].join("\r\n");
}

Deno.test("an upgrade passes the middleware, and its app receives the caller", async () => {
  await using server = await gated();
  const answer = await answerTo(
    server,
    upgrade(`/v1/socket?token=${KEY}`, "X-Request-Id: abc-1"),
  );
  assert.equal(answer.status, 101);
  const [context] = server.taken;
  assert.equal(context?.caller?.id, "bootstrap");
  assert.equal(context?.requestId, "abc-1");
  assert.equal(context?.url.pathname, "/v1/socket");
  assert.equal(context?.headers.get("x-content-type-options"), "nosniff");
});

Deno.test("a problem of the middleware is written to the socket with all its headers, and no app is called", async () => {
  await using server = await gated();
  const { status, code, text } = await answerTo(
    server,
    upgrade("/v1/socket?token=wrong", "X-Request-Id: abc-2"),
  );
  assert.deepEqual([status, code], [401, "unauthorized"]);
  assert.match(text, /^x-request-id: abc-2\r$/mi);
  assert.match(text, /^www-authenticate: Bearer\r$/mi);
  assert.match(text, /^x-content-type-options: nosniff\r$/mi);
  assert.match(text, /"request_id":"abc-2"/);
  assert.deepEqual(server.taken, []);
});

Deno.test("an upgrade of a path that no app takes is a problem with its request id", async () => {
  await using server = await gated();
  const { status, code, text } = await answerTo(
    server,
    upgrade("/v1/nothing", `X-API-Key: ${KEY}`, "X-Request-Id: abc-3"),
  );
  assert.deepEqual([status, code], [404, "not_found"]);
  assert.match(text, /^x-request-id: abc-3\r$/mi);
  assert.match(text, /"request_id":"abc-3"/);
});

Deno.test("upgrades and requests count in the same buckets", async () => {
  await using server = await gated({
    settings: {
      middleware: [{
        name: "rate_limit",
        options: { per_key: { requests_per_second: 0.01, burst: 3 } },
      }],
    },
  });
  const headers = { "x-api-key": KEY };
  const ok = await fetch(`${server.url}/v1/ok`, { headers });
  await ok.body?.cancel();
  const ask = () => answerTo(server, upgrade(`/v1/socket?token=${KEY}`));
  assert.equal((await ask()).status, 101);
  assert.equal((await ask()).status, 101);
  const refused = await ask();
  assert.deepEqual([refused.status, refused.code], [429, "rate_limited"]);
  assert.match(refused.text, /^retry-after: 100\r$/mi);
  assert.match(refused.text, /^ratelimit: "key";r=0;t=100/mi);
  assert.equal(server.taken.length, 2);
});

Deno.test("before() and after() of a middleware see upgrades, and their response is sent", async () => {
  const log: string[] = [];
  const own: Middleware = beforeAfter({
    name: "own",
    optionsSchema: z.strictObject({}),
    before({ req }) {
      log.push(`> ${req.path}`);
      if (req.header("x-turn-away")) {
        return new Response("away", { status: 403, headers: { "x-own": "1" } });
      }
    },
    after: (c) => void log.push(`< ${c.get("kind")} ${c.res.ok}`),
  });
  await using server = await gated({ known: [...MIDDLEWARE, own] });
  const target = `/v1/socket?token=${KEY}`;
  assert.equal((await answerTo(server, upgrade(target))).status, 101);
  const away = await answerTo(server, upgrade(target, "X-Turn-Away: 1"));
  assert.equal(away.status, 403);
  assert.match(away.text, /^x-own: 1\r\n(.*\r\n)*\r\naway$/m);
  assert.deepEqual(log, [
    "> /v1/socket",
    "< upgrade true",
    "> /v1/socket",
    "< upgrade false",
  ]);
});

Deno.test("no app is called for a client that leaves while the middleware runs", async () => {
  const entered = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const slow: Middleware = beforeAfter({
    name: "slow",
    optionsSchema: z.strictObject({}),
    async before(c) {
      c.req.raw.signal.addEventListener("abort", () => gone.resolve());
      entered.resolve();
      await gone.promise;
    },
    after: () => left.resolve(),
  });
  await using server = await gated({ known: [slow] });
  using client = await rawHttp(server.url, upgrade("/v1/socket"));
  await entered.promise;
  client.socket.resetAndDestroy();
  await left.promise;
  const next = once(client.socket, "close");
  if (!client.socket.closed) await next;
  assert.deepEqual(server.taken, []);
});

Deno.test("an offer of another protocol than WebSocket is ignored, and the request is served", async () => {
  await using server = await gated();
  const offer = [
    "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAAQAAP__",
    `X-API-Key: ${KEY}`,
  ];
  const get = await answerTo(server, upgrade("/v1/ok", ...offer));
  assert.equal(get.status, 200);
  assert.match(get.text, /\{"ok":true\}$/);
  const post = upgrade(
    "/v1/things",
    ...offer,
    "Content-Type: application/json",
    "Content-Length: 10",
  )
    .replace("GET", "POST").replace(
      "Connection: Upgrade",
      "Connection: Upgrade, close",
    );
  assert.equal((await answerTo(server, `${post}{"size":1}`)).status, 204);
});

Deno.test("an upgrade with an invalid target, host or handshake is rejected, and the server continues", async () => {
  await using server = await gated();
  for (
    const target of ["*", "x", "/a\\b", "http://[::1/", "ftp://grid/v1/socket"]
  ) {
    const { status } = await answerTo(server, upgrade(target));
    assert.equal(status, 400, target);
  }
  const absolute = upgrade(`http://grid/v1/socket?token=${KEY}`);
  assert.equal((await answerTo(server, absolute)).status, 101);
  const ok = await fetch(`${server.url}/v1/ok`, {
    headers: { "x-api-key": KEY },
  });
  assert.deepEqual(await ok.json(), { ok: true });
});

Deno.test("one line is logged for an upgrade, with the client's address and without its key", async () => {
  await using server = await gated();
  await using log = await logRecords();
  await answerTo(
    server,
    upgrade(`/v1/socket?token=${KEY}`, "X-Request-Id: abc-4"),
  );
  await answerTo(server, upgrade("/v1/soc%0aket?token=k-guessed"));
  const lines = log.records.map(({ properties }) => properties);
  assert.deepEqual(
    lines.map((
      { path, status, caller, client_address },
    ) => [path, status, caller, client_address]),
    [
      ["/v1/socket", undefined, "bootstrap", "127.0.0.1"],
      ["/v1/soc%0aket", 401, undefined, "127.0.0.1"],
    ],
  );
  assert.doesNotMatch(
    JSON.stringify(log.records),
    new RegExp(`${KEY}|k-guessed|\\\\n`),
  );
});

Deno.test("a problem of the gateway has the request id too", async () => {
  await using grid = await testGrid({ listen: true });
  const handshake = [
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ];
  const { status, code, text } = await answerTo(
    grid,
    upgrade("/v1/sessions/none/cdp", ...handshake, "X-Request-Id: abc-5"),
  );
  assert.deepEqual([status, code], [404, "session_not_found"]);
  assert.match(text, /^x-request-id: abc-5\r$/mi);
  assert.match(text, /"request_id":"abc-5"/);
});
