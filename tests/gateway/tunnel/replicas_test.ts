import assert from "node:assert/strict";
import { once } from "node:events";
import { freePort } from "../../support/free_port.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";
import {
  rawClient,
  readBytes,
  readRejection,
} from "../../support/raw_client.ts";
import { tunnelScene } from "./scene.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Another server on the same database. */
function startReplica(
  { dataDir }: TestGrid,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<TestGrid> {
  return testGrid({ dataDir, listen: true, settings });
}

Deno.test("a client of a server without the tunnel is connected through the server with the tunnel, without loss of bytes", async () => {
  await using s = await tunnelScene({ upstream: { greeting: bytes("hello") } });
  await using there = await startReplica(s.grid);
  await s.start({ reach: "tunnel" });
  const id = await s.running();
  using client = await rawClient(s.toUrl(id, there), {}, bytes("early"));
  assert.match(client.head, /^HTTP\/1\.1 101 /);
  const rest = await readBytes(client.socket, 10 - client.rest.length);
  assert.equal(text(client.rest) + text(rest), "helloearly");
  const sent = new Uint8Array(1_000_000).map((_, at) => at % 251);
  client.socket.write(sent);
  assert.deepEqual(
    new Uint8Array(await readBytes(client.socket, sent.length)),
    sent,
  );
  const response = await there.request(`/v1/sessions/${id}/cdp/json/version`);
  assert.equal((await response.json()).Browser, "Chrome/1");
});

Deno.test("a close of either side passes through both servers", async () => {
  await using s = await tunnelScene();
  await using there = await startReplica(s.grid);
  await s.start({ reach: "tunnel" });
  const id = await s.running();
  using first = await rawClient(s.toUrl(id, there));
  first.socket.resume();
  const ended = once(first.socket, "close");
  s.upstream.sockets[0]?.destroy();
  await ended;
  using second = await rawClient(s.toUrl(id, there));
  const browser = s.upstream.sockets[1];
  assert.ok(browser);
  browser.resume();
  const closed = once(browser, "close");
  second.socket.destroy();
  await closed;
});

Deno.test("a client gets a Retry-After if the server with the tunnel is gone, and connects when the tunnel is open to another server", async () => {
  await using s = await tunnelScene();
  await using there = await startReplica(s.grid);
  const { worker } = await s.start({ reach: "tunnel" });
  const id = await s.running();
  const recordTunnel = (url: string) =>
    s.grid.core.db.client.execute({
      sql: "UPDATE workers SET tunnel_url = ? WHERE id = ?",
      args: [url, worker.id],
    });
  await recordTunnel(`http://127.0.0.1:${await freePort()}`);
  const { status, code, head } = await readRejection(s.toUrl(id, there));
  assert.deepEqual([status, code], ["503", "worker_unreachable"]);
  assert.match(head, /retry-after: \d/i);
  await recordTunnel(there.core.replicaUrl());
  const waiting = rawClient(s.toUrl(id, there));
  await recordTunnel(s.grid.core.replicaUrl());
  using client = await waiting;
  assert.match(client.head, /^HTTP\/1\.1 101 /);
});

Deno.test("only other servers can request a stream of a server's tunnels, not a client with its connect token", async () => {
  await using s = await tunnelScene();
  const { worker } = await s.start({ reach: "tunnel" });
  const id = await s.running();
  const token = await s.grid.core.auth.connectTokens.issue(id);
  const query = new URLSearchParams({ worker_id: worker.id, token });
  const url = `${s.toUrl(id)}/stream?${query}`;
  for (const headers of [{}, { "x-browsergrid-replica": token }]) {
    const { status } = await readRejection(url, headers);
    assert.equal(status, "401");
  }
  assert.equal(s.upstream.sockets.length, 0);
});

Deno.test("the replica_url of a server is the setting, or its address if the setting is missing", async () => {
  await using plain = await testGrid({ listen: true });
  assert.equal(plain.core.replicaUrl(), plain.url);
  await using configured = await testGrid({
    listen: true,
    settings: {
      replica_url: "http://10.0.0.3:9000/",
      public_url: "https://grid.example",
    },
  });
  assert.equal(configured.core.replicaUrl(), "http://10.0.0.3:9000");
  await using open = await testGrid({
    listen: true,
    settings: { host: "0.0.0.0", api_key: "key-0123456789" },
  });
  assert.match(open.core.replicaUrl(), /^http:\/\/(?!0\.)[\d.]+:\d+$/);
});
