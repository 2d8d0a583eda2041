import assert from "node:assert/strict";
import { once } from "node:events";
import { awaitStatus } from "../support/await_status.ts";
import { waitForEvent } from "../support/wait_for_event.ts";
import { rawClient, readBytes } from "../support/raw_client.ts";
import { gatewayScene } from "./scene.ts";

/** Connects a standard WebSocket client. */
async function connectClient(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  return socket;
}

function waitForClose(socket: WebSocket): Promise<CloseEvent> {
  return new Promise((resolve) => socket.onclose = resolve);
}

Deno.test("a client of a browser that crashes is closed with 1011, and the session stays running until its worker reports", async () => {
  await using scene = await gatewayScene();
  const socket = await connectClient(scene.url);
  const end = waitForClose(socket);
  await scene.upstream[Symbol.asyncDispose]();
  const { code, reason } = await end;
  assert.deepEqual([code, reason], [1011, "browser gone"]);
  assert.equal(
    (await scene.grid.sessions.get(scene.sessionId)).status,
    "running",
  );
});

for (const path of ["", "/devtools/page/PAGE"]) {
  Deno.test(`a client of a browser that closes one connection${path && " to a page"} and still runs is closed with 4002`, async () => {
    await using scene = await gatewayScene({
      upstream: { page: () => {} },
      session: { max_connections: 2 },
    });
    const socket = await connectClient(scene.url + path);
    const end = waitForClose(socket);
    scene.upstream.sockets[0]?.destroy();
    const { code, reason } = await end;
    assert.equal(code, 4002);
    assert.match(
      reason,
      /^closed by the browser, which still runs: .* 100 MB$/,
    );
    using again = await rawClient(scene.url);
    assert.match(again.head, /^HTTP\/1\.1 101 /);
  });
}

Deno.test("clients of a crashed session are closed with 1011, clients of another ended session with 1001, in any order of events", async () => {
  for (
    const [status, expected] of [
      ["crashed", [1011, "browser gone"]],
      ["completed", [1001, "session ended"]],
    ] as const
  ) {
    await using scene = await gatewayScene({ session: { max_connections: 2 } });
    const { api, upstream: { endpoint } } = scene;
    const { workerId, claimed } = await api.running({}, endpoint);
    const origin = scene.grid.url.replace("http", "ws");
    const socket = await connectClient(
      `${origin}/v1/sessions/${claimed.id}/cdp`,
    );
    const end = waitForClose(socket);
    await api.report(workerId, claimed, status);
    const { code, reason } = await end;
    assert.deepEqual([code, reason], expected);
  }
});

Deno.test("a client that disconnects during the query for the close reason leaves no socket open", async () => {
  const requested = Promise.withResolvers<void>();
  await using scene = await gatewayScene({
    upstream: { onRequest: () => void requested.resolve() },
  });
  using client = await rawClient(scene.url);
  scene.upstream.sockets[0]?.destroy();
  await requested.promise;
  client.socket.destroy();
  const { grid, sessionId } = scene;
  const { data: { by } } = await waitForEvent(grid, sessionId, {
    name: "client_disconnected",
  });
  assert.equal(by, "browser");
});

Deno.test("a close frame of the browser reaches its client unchanged, without a query for the close reason", async () => {
  await using scene = await gatewayScene();
  const socket = await connectClient(scene.url);
  const before = scene.upstream.asked.length;
  const end = waitForClose(socket);
  // As Chrome sends it: a close frame (1000), then the end of the connection.
  scene.upstream.sockets[0]?.end(Uint8Array.of(0x88, 2, 0x03, 0xe8));
  assert.equal((await end).code, 1000);
  await waitForEvent(scene.grid, scene.sessionId, {
    name: "client_disconnected",
  });
  assert.deepEqual(scene.upstream.asked.slice(before), []);
});

Deno.test("clients of a session that ends are closed with 1001", async () => {
  await using scene = await gatewayScene({ session: { max_connections: 2 } });
  const ends = [await connectClient(scene.url), await connectClient(scene.url)]
    .map(
      waitForClose,
    );
  await scene.api.call("DELETE", `/sessions/${scene.sessionId}?force=true`);
  for (const { code, reason } of await Promise.all(ends)) {
    assert.deepEqual([code, reason], [1001, "session ended"]);
  }
});

Deno.test("a client of a browser that ends with its stopped session is closed with 1001, not as crashed", async () => {
  await using scene = await gatewayScene();
  const end = waitForClose(await connectClient(scene.url));
  await scene.api.call("DELETE", `/sessions/${scene.sessionId}`);
  scene.upstream.sockets[0]?.destroy();
  const { code, reason } = await end;
  assert.deepEqual([code, reason], [1001, "session ended"]);
});

Deno.test("clients of a server that stops are closed with 1001", async () => {
  await using scene = await gatewayScene();
  const end = waitForClose(await connectClient(scene.url));
  await scene.grid[Symbol.asyncDispose]();
  assert.equal((await end).code, 1001);
});

Deno.test("a connection reset by the client closes the browser's socket, and the session stays running", async () => {
  await using scene = await gatewayScene();
  const client = await rawClient(scene.url);
  const [upstream] = scene.upstream.sockets;
  assert.ok(upstream);
  const closed = once(upstream, "close");
  client.socket.resetAndDestroy();
  await closed;
  const { status } = await scene.grid.sessions.get(scene.sessionId);
  assert.equal(status, "running");
});

Deno.test("connections are recorded with their byte counts", async () => {
  await using scene = await gatewayScene();
  {
    using client = await rawClient(scene.url);
    client.socket.write("to and fro");
    await readBytes(client.socket, 10);
  }
  const { grid, sessionId } = scene;
  await waitForEvent(grid, sessionId, { name: "client_connected" });
  const { data: { by, bytes_in, bytes_out } } = await waitForEvent(
    grid,
    sessionId,
    {
      name: "client_disconnected",
    },
  );
  assert.deepEqual([by, bytes_in, bytes_out], ["client", 10, 10]);
});

Deno.test("/v1/connect creates a session, connects to it when it runs, and ends it with the connection", async () => {
  await using scene = await gatewayScene();
  const { api, grid, upstream } = scene;
  const worker = await api.worker({ name: "second" });
  const waiting = api.call(
    "POST",
    `/workerpool/workers/${worker}/claim-session?wait=30`,
  );
  const origin = grid.url.replace("http", "ws");
  const connecting = connectClient(
    `${origin}/v1/connect?headless=false&width=900&timeout_minutes=7&label=a=b&env.TZ=UTC`,
  );
  const { body: { sessions: [session] } } = await waiting;
  assert.deepEqual([session.headless, session.screen.width], [false, 900]);
  assert.equal(session.resource_limits.timeout_minutes, 7);
  assert.deepEqual(session.environment, { TZ: "UTC" });
  await api.report(worker, session, "running", { endpoint: upstream.endpoint });
  const socket = await connecting;
  const end = waitForClose(socket);
  socket.close();
  upstream.sockets.at(-1)?.end();
  await end;
  const response = await api.call(
    "POST",
    `/workerpool/workers/${worker}/claim-session?wait=30`,
  );
  const [{ session_id, status, force }] = response.body.commands;
  // No client returns to it, so its browser is stopped without a graceful end.
  assert.deepEqual([session_id, status, force], [
    session.id,
    "completed",
    true,
  ]);
  await api.report(worker, session, "completed");
  const { labels } = await awaitStatus(grid, session.id, "completed");
  assert.deepEqual(labels, { a: "b" });
});

Deno.test("a pending session whose client disconnects is terminated and never started", async () => {
  await using scene = await gatewayScene();
  const { api, grid } = scene;
  const made = grid.core.bus.next(
    ({ type }) => type === "session_created",
    AbortSignal.timeout(10_000),
  );
  const origin = grid.url.replace("http", "ws");
  const socket = new WebSocket(`${origin}/v1/connect`);
  const end = new Promise((resolve) => socket.onclose = resolve);
  const id = (await made)?.subject ?? "";
  socket.close();
  await end;
  const { startedAt } = await awaitStatus(grid, id, "terminated");
  assert.equal(startedAt, null);
  assert.equal(
    await api.claim(await api.worker({ name: "deadlines" })),
    undefined,
  );
});
