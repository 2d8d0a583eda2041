import assert from "node:assert/strict";
import { once } from "node:events";
import { rawClient, readBytes } from "../support/raw_client.ts";
import { gatewayScene } from "./scene.ts";

const UNKNOWN = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";

/** Requests an upgrade that is rejected; the server must close the socket after the response. */
async function requestRejected(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<readonly [number, string]> {
  using client = await rawClient(url, headers);
  const length = Number(/content-length: (\d+)/i.exec(client.head)?.[1] ?? 0);
  const rest = await readBytes(client.socket, length - client.rest.length);
  const text = new TextDecoder().decode(
    new Uint8Array([...client.rest, ...rest]),
  );
  assert.match(client.head, /content-type: application\/problem\+json/i);
  const ended = once(client.socket, "end");
  client.socket.resume();
  await ended;
  const { status, code, detail } = JSON.parse(text);
  assert.match(client.head, new RegExp(`^HTTP/1.1 ${status} `));
  assert.match(detail, /expected/);
  return [status, code];
}

Deno.test("the gateway rejects before the upgrade what it cannot connect", async () => {
  await using scene = await gatewayScene();
  const { api, grid, url } = scene;
  const origin = grid.url.replace("http", "ws");
  assert.deepEqual(
    await requestRejected(`${origin}/v1/sessions/${UNKNOWN}/cdp`),
    [404, "session_not_found"],
  );
  assert.deepEqual(
    await requestRejected(`${origin}/v1/sessions/nonsense/cdp`),
    [404, "session_not_found"],
  );
  assert.deepEqual(
    await requestRejected(`${origin}/v1/connect?browser=netscape`),
    [422, "invalid_request"],
  );
  assert.deepEqual(
    await requestRejected(`${origin}/v1/connect?colour=blue`),
    [422, "invalid_request"],
  );
  assert.deepEqual(
    await requestRejected(`${origin}/v1/connect?work_pool_id=none`),
    [404, "pool_not_found"],
  );
  assert.deepEqual(
    await requestRejected(
      `${origin}/v1/connect?argument=--lang=de&argument=--no-sandbox`,
    ),
    [422, "argument_not_allowed"],
  );
  assert.deepEqual(
    await requestRejected(url, { Upgrade: "h2c" }),
    [426, "upgrade_required"],
  );
  assert.deepEqual(
    await requestRejected(url, { Origin: "https://evil.example" }),
    [403, "origin_not_allowed"],
  );
  await scene.upstream[Symbol.asyncDispose]();
  assert.deepEqual(await requestRejected(url), [503, "worker_unreachable"]);
  await api.call("DELETE", `/sessions/${scene.sessionId}?force=true`);
  assert.deepEqual(await requestRejected(url), [410, "session_ended"]);
});

Deno.test("a client that waits for a session which fails gets session_failed", async () => {
  await using scene = await gatewayScene();
  const { api, grid } = scene;
  const { id } = await api.session();
  const origin = grid.url.replace("http", "ws");
  const waiting = requestRejected(`${origin}/v1/sessions/${id}/cdp`);
  const worker = await api.worker({ name: "second" });
  const claimed = await api.claim(worker);
  assert.ok(claimed);
  await api.report(worker, claimed, "failed", { status_reason: "no display" });
  assert.deepEqual(await waiting, [502, "session_failed"]);
});

Deno.test("an upgrade of any other path is rejected with 404", async () => {
  await using scene = await gatewayScene();
  const origin = scene.grid.url.replace("http", "ws");
  for (const path of ["/", "/v1/sessions", "/v1/../v1/connect/x"]) {
    using client = await rawClient(`${origin}${path}`);
    assert.match(client.head, /^HTTP\/1.1 404 /);
  }
});

Deno.test("with an API key set, the gateway requires it, in any of three places", async () => {
  const key = "key-0123456789";
  await using scene = await gatewayScene({
    grid: { settings: { api_key: key } },
    headers: { "x-api-key": key },
    session: { max_connections: 3 },
  });
  assert.deepEqual(await requestRejected(scene.url), [401, "unauthorized"]);
  assert.deepEqual(
    await requestRejected(`${scene.url}?token=wrong`),
    [401, "unauthorized"],
  );
  const admitted = [
    rawClient(`${scene.url}?token=${key}`),
    rawClient(scene.url, { "X-API-Key": key }),
    rawClient(scene.url, { Authorization: `Bearer ${key}` }),
  ];
  for (const connecting of admitted) {
    using client = await connecting;
    assert.match(client.head, /^HTTP\/1.1 101 /);
  }
});

Deno.test("pages of an allowed origin can connect", async () => {
  const origin = "https://app.example";
  await using scene = await gatewayScene({
    grid: { settings: { allowed_origins: [origin] } },
  });
  using client = await rawClient(scene.url, { Origin: origin });
  assert.match(client.head, /^HTTP\/1.1 101 /);
});
