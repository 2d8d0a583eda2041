import assert from "node:assert/strict";
import { declareRoute } from "../../../src/http/auth/access.ts";
import { RouteTable } from "../../../src/http/auth/route_table.ts";
import { createRouter } from "../../../src/http/router.ts";
import {
  addSocket,
  createSocketUpgrader,
} from "../../../src/http/server/socket_route.ts";
import { startServer } from "../../../src/http/server/server.ts";
import type { PathParams } from "../../../src/core/middleware.ts";
import type { Role } from "../../../src/core/caller.ts";
import { answerTo } from "./hostile_client.ts";

/** Starts a server with a socket for clients, called by a caller with `role`. */
async function startSockets(role: Role) {
  const served: PathParams[] = [];
  const router = createRouter();
  const v1 = createRouter();
  addSocket(v1, {
    ...declareRoute({ roles: ["client"] }),
    path: "/things/{id}/socket",
    responses: { 101: { description: "Open" } },
  }, ({ socket, params }) => {
    served.push(params);
    socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    return Promise.resolve();
  });
  router.route("/v1", v1);
  const server = await startServer({
    host: "127.0.0.1",
    port: 0,
    fetch: router.fetch,
    gate: (_incoming, { url }) =>
      Promise.resolve({
        url: new URL(url),
        path: new URL(url).pathname,
        baseUrl: new URL(url).origin,
        caller: { id: role, name: role, role },
        requestId: "r1",
        headers: new Headers({ "x-middleware": "kept" }),
      }),
    upgraders: [createSocketUpgrader(new RouteTable(router))],
    graceMs: 100,
  });
  return {
    served,
    router,
    url: `http://127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function upgradeTo(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
}

Deno.test("a socket is served to callers with a declared role, with the values of its path", async () => {
  for (const role of ["client", "admin"] as const) {
    await using server = await startSockets(role);
    const { status } = await answerTo(
      server,
      upgradeTo("/v1/things/a1/socket"),
    );
    assert.equal(status, 101, role);
    assert.deepEqual(server.served, [{ id: "a1" }]);
  }
});

Deno.test("a socket is rejected for other roles, with the headers of the middleware", async () => {
  await using server = await startSockets("worker");
  const { status, text } = await answerTo(
    server,
    upgradeTo("/v1/things/a1/socket"),
  );
  assert.equal(status, 403);
  assert.match(text, /x-middleware: kept\r\n/);
  assert.deepEqual(server.served, []);
});

Deno.test("an upgrade of a path without a socket is not served", async () => {
  await using server = await startSockets("client");
  const { status } = await answerTo(server, upgradeTo("/v1/things/a1"));
  assert.equal(status, 404);
  assert.deepEqual(server.served, []);
});

Deno.test("a request to a socket without an upgrade gets upgrade_required and the expected headers", async () => {
  await using server = await startSockets("client");
  const response = await fetch(`${server.url}/v1/things/a1/socket`);
  assert.equal(response.status, 426);
  assert.equal(response.headers.get("sec-websocket-version"), "13");
  assert.equal((await response.json()).code, "upgrade_required");
});

Deno.test("addSocket() describes the socket with its roles", async () => {
  await using server = await startSockets("client");
  const { paths } = server.router.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "Test", version: "0" },
  });
  const operation = paths?.["/v1/things/{id}/socket"]?.get;
  assert.ok(operation?.["x-websocket"]);
  assert.deepEqual(operation?.["x-roles"], ["admin", "client"]);
});
