import assert from "node:assert/strict";
import { type KeyedGrid, keyedGrid } from "../support/keys.ts";
import { rawClient } from "../support/raw_client.ts";
import { startOwnedSession } from "./owned_session.ts";
import { startUpstream } from "../support/upstream.ts";

/** A listening grid with authentication, and a session of a client that runs on a synthetic browser. */
async function scene() {
  await using stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream());
  const grid = stack.use(await keyedGrid({ listen: true }));
  const { key, claimed, connectUrl, worker, workerId } =
    await startOwnedSession(grid, upstream.endpoint);
  const owned = stack.move();
  return {
    grid,
    key,
    id: claimed.id,
    connectUrl,
    worker,
    workerId,
    upstream,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Requests an upgrade and returns the status of the response. */
async function requestStatus(url: string, key?: string): Promise<number> {
  using client = await rawClient(
    url,
    key === undefined ? {} : { "X-API-Key": key },
  );
  return Number(/^HTTP\/1.1 (\d+)/.exec(client.head)?.[1]);
}

function socketUrl({ url }: KeyedGrid, path: string): string {
  return `${url.replace("http", "ws")}/v1${path}`;
}

Deno.test("the gateway connects a session's owner and admins, and responds with 404 to other clients", async () => {
  await using s = await scene();
  const url = socketUrl(s.grid, `/sessions/${s.id}/cdp`);
  const { key: admin } = await s.grid.key({ role: "admin" });
  const { key: other } = await s.grid.key();
  const { key: worker } = await s.grid.key({ role: "worker" });
  const { key: gone, id } = await s.grid.key({ role: "admin" });
  await s.grid.admin.call("DELETE", `/keys/${id}`);
  for (
    const [key, status] of [
      [s.key, 101],
      [admin, 101],
      [other, 404],
      [worker, 403],
      [gone, 401],
      [undefined, 401],
    ] as const
  ) {
    assert.equal(await requestStatus(url, key), status);
    if (key) assert.equal(await requestStatus(`${url}?token=${key}`), status);
    assert.equal(await requestStatus(`${url}/devtools/page/A`, key), status);
  }
});

Deno.test("a session's connect_url connects without a key, and only to that session", async () => {
  await using s = await scene();
  assert.match(s.connectUrl, /\?token=ct_/);
  const { search } = new URL(s.connectUrl);
  const socket = (path: string) => socketUrl(s.grid, `${path}${search}`);
  // The server of the session's request did not listen, so the URL of the response has another origin.
  assert.equal(await requestStatus(socket(`/sessions/${s.id}/cdp`)), 101);
  assert.equal(
    await requestStatus(`${socket(`/sessions/${s.id}/cdp`)}?token=${s.key}`),
    101,
  );
  const { id: second } = await s.grid.as(s.key).session();
  assert.equal(await requestStatus(socket(`/sessions/${second}/cdp`)), 401);
  assert.equal(await requestStatus(socket("/connect")), 401);
  const http = await fetch(`${s.grid.url}/v1/sessions/${s.id}${search}`);
  assert.equal(http.status, 401);
  await http.body?.cancel();
});

Deno.test("/v1/connect creates a session that the caller owns, in the work pool that its key is restricted to", async () => {
  await using s = await scene();
  await s.grid.admin.pool({ name: "box" });
  const { key, id } = await s.grid.key({ work_pool_id: "box" });
  const mine = s.grid.as(key);
  const url = socketUrl(s.grid, "/connect");
  assert.equal(await requestStatus(`${url}?work_pool_id=pool`, key), 403);
  const { key: worker } = await s.grid.key({ role: "worker" });
  assert.equal(await requestStatus(url, worker), 403);
  const box = await s.grid.asNew({ role: "worker", work_pool_id: "box" });
  const workerId = await box.worker({ work_pool_id: "box" });
  const connecting = rawClient(`${url}?token=${key}`);
  let claimed = await box.claim(workerId);
  while (!claimed) claimed = await box.claim(workerId);
  const { endpoint } = s.upstream;
  await box.report(workerId, claimed, "running", { endpoint });
  using client = await connecting;
  assert.match(client.head, /^HTTP\/1.1 101 /);
  const { body } = await mine.call("GET", "/sessions");
  assert.deepEqual(
    body.items.map((each: { id: string; owner: string }) => [
      each.id,
      each.owner,
    ]),
    [[claimed.id, id]],
  );
});

Deno.test("a connection stays open when its key is revoked", async () => {
  await using s = await scene();
  const { id, key } = await s.grid.key({ role: "admin" });
  using client = await rawClient(
    socketUrl(s.grid, `/sessions/${s.id}/cdp`),
    { "X-API-Key": key },
  );
  await s.grid.admin.call("DELETE", `/keys/${id}`);
  const echo = new Promise<string>((resolve) =>
    client.socket.once("data", (chunk) => resolve(String(chunk)))
  );
  client.socket.resume();
  client.socket.write("still here");
  assert.equal(await echo, "still here");
});

Deno.test("with authentication, the connect URL of a kept session is valid until the session expires", async () => {
  await using s = await scene();
  const { grid, worker, workerId, upstream: { endpoint } } = s;
  const made = grid.core.bus.next(
    ({ type, subject }) => type === "session_created" && subject !== s.id,
    AbortSignal.timeout(10_000),
  );
  const url = socketUrl(grid, `/connect?keep_alive=3600&token=${s.key}`);
  const connecting = rawClient(url);
  await made;
  const claimed = await worker.claim(workerId);
  assert.ok(claimed);
  await worker.report(workerId, claimed, "running", { endpoint });
  using client = await connecting;
  const [, expiry = ""] = /token=ct_([0-9a-z]+)_/.exec(client.head) ?? [];
  const { body } = await grid.admin.call("GET", `/sessions/${claimed.id}`);
  assert.equal(parseInt(expiry, 36), Date.parse(body.expires_at));
});
