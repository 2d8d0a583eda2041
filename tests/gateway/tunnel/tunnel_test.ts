import assert from "node:assert/strict";
import { once } from "node:events";
import { Buffer } from "node:buffer";
import { createFakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { layLink } from "../../support/link.ts";
import {
  rawClient,
  readBytes,
  readRejection,
} from "../../support/raw_client.ts";
import { untilWaiting } from "../../support/until_waiting.ts";
import { startUpstream } from "../../support/upstream.ts";
import { tunnelScene, UNREACHED } from "./scene.ts";

/** Settings without other timers, for tests that advance the clock. */
const NO_TIMERS = { lease_seconds: 86_400, heartbeat_seconds: 3_600 };

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("bytes pass in both directions through a worker's tunnel, including those that follow a handshake", async () => {
  await using s = await tunnelScene({ upstream: { greeting: bytes("hello") } });
  await s.start({ reach: "tunnel" });
  const id = await s.running();
  using client = await rawClient(s.toUrl(id), {}, bytes("early"));
  assert.match(client.head, /^HTTP\/1\.1 101 /);
  const rest = await readBytes(client.socket, 10 - client.rest.length);
  assert.equal(text(client.rest) + text(rest), "helloearly");
  client.socket.write("more");
  assert.equal(text(await readBytes(client.socket, 4)), "more");
  assert.equal(await s.readReach(id), "tunnel");
});

Deno.test("pages and HTTP endpoints of a browser are reached through a tunnel", async () => {
  await using s = await tunnelScene();
  await s.start({ reach: "tunnel" });
  const id = await s.running();
  const answer = await s.grid.request(`/v1/sessions/${id}/cdp/json/version`);
  assert.equal((await answer.json()).Browser, "Chrome/1");
  using _client = await rawClient(`${s.toUrl(id)}/devtools/page/PAGE`);
  assert.equal(s.upstream.lastRequest()?.url, "/devtools/page/PAGE");
});

Deno.test("a megabyte passes unchanged through a tunnel, in both directions at once", async () => {
  await using s = await tunnelScene();
  await s.start({ reach: "tunnel" });
  using client = await rawClient(s.toUrl(await s.running()));
  const sent = crypto.getRandomValues(new Uint8Array(65_536));
  for (let times = 0; times < 16; times++) client.socket.write(sent);
  const got = await readBytes(client.socket, 16 * sent.length);
  for (let at = 0; at < got.length; at += sent.length) {
    assert.deepEqual(got.subarray(at, at + sent.length), Buffer.from(sent));
  }
});

Deno.test("with unknown reachability, the server dials the address if the browser responds there, and later sessions without a probe", async () => {
  await using s = await tunnelScene();
  s.provider.knobs.endpoint = new URL(s.upstream.endpoint);
  await s.start();
  const first = await s.running();
  await s.waitForReach(first, "direct");
  assert.equal(await s.readReach(await s.running()), "direct");
});

Deno.test("with unknown reachability, the server uses the tunnel if another browser or no process responds at the address", async () => {
  await using s = await tunnelScene();
  await using other = await startUpstream();
  s.provider.knobs.endpoint = new URL(`${other.endpoint}-another`);
  await s.start();
  const first = await s.running();
  using client = await rawClient(s.toUrl(first));
  await s.waitForReach(first, "tunnel");
  client.socket.write("a");
  assert.equal(text(await readBytes(client.socket, 1)), "a");
  assert.equal(other.sockets.length, 0);
  s.provider.knobs.endpoint = new URL(UNREACHED);
  assert.equal(await s.readReach(await s.running()), "tunnel");
});

Deno.test("the tunnel replaces an address that no longer responds, for all sessions of the worker", async () => {
  await using s = await tunnelScene();
  const near = await startUpstream();
  s.provider.knobs.endpoint = new URL(near.endpoint);
  await s.start();
  const [first, second] = [await s.running(), await s.running()];
  await s.waitForReach(second, "direct");
  await near[Symbol.asyncDispose]();
  using client = await rawClient(s.toUrl(first));
  assert.match(client.head, /^HTTP\/1\.1 101 /);
  await s.waitForReach(second, "tunnel");
});

Deno.test("connections stay open when a worker's tunnel is lost; new clients wait until it is open again", async () => {
  await using s = await tunnelScene();
  const { tunnel } = await s.start({ reach: "tunnel" });
  const id = await s.running();
  using before = await rawClient(s.toUrl(id));
  tunnel.reconnect();
  using meanwhile = await rawClient(s.toUrl(id));
  for (const { head, socket } of [before, meanwhile]) {
    assert.match(head, /^HTTP\/1\.1 101 /);
    socket.write("still");
    assert.equal(text(await readBytes(socket, 5)), "still");
  }
});

Deno.test("a client gets a Retry-After if the worker's tunnel is not open again within five seconds", async () => {
  const clock = createFakeClock();
  await using s = await tunnelScene({ clock, settings: NO_TIMERS });
  const { worker, tunnel } = await s.start({ reach: "tunnel" });
  const id = await s.running();
  await tunnel[Symbol.asyncDispose]();
  await s.waitForTunnel(worker, { isOpen: false });
  const asked = readRejection(s.toUrl(id));
  let isRefused = false;
  void asked.then(() => isRefused = true);
  let waitedMs = 0;
  for (; !isRefused; waitedMs += 500) {
    clock.advance(500);
    await untilWaiting();
  }
  assert.ok(waitedMs >= 5_000, `${waitedMs} ms`);
  const { status, code, head } = await asked;
  assert.deepEqual([status, code], ["503", "worker_unreachable"]);
  assert.match(head, /retry-after: \d/i);
});

Deno.test("a tunnel whose worker no longer responds to pings is closed", async () => {
  const clock = createFakeClock();
  await using s = await tunnelScene({ clock, settings: NO_TIMERS });
  await using link = await layLink(s.grid.url);
  const { worker } = await s.start({ tunnelUrl: link.url });
  link.hang();
  await eventually("it is noticed", async () => {
    clock.advance(20_000);
    const { tunnelUrl } = await s.grid.workers.get(worker.id);
    return tunnelUrl === null;
  });
});

Deno.test("a close of the browser or the client closes the other side through the tunnel", async () => {
  await using s = await tunnelScene();
  await s.start({ reach: "tunnel" });
  const id = await s.running();
  using first = await rawClient(s.toUrl(id));
  first.socket.resume();
  const ended = once(first.socket, "close");
  s.upstream.sockets[0]?.destroy();
  await ended;
  using second = await rawClient(s.toUrl(id));
  const browser = s.upstream.sockets[1];
  assert.ok(browser);
  const left = once(browser, "close");
  second.socket.destroy();
  await left;
});

Deno.test("a worker opens no stream for a session that it does not hold", async () => {
  await using s = await tunnelScene();
  const { worker: holder } = await s.start({ name: "one", reach: "tunnel" });
  const id = await s.running();
  const { worker: other } = await s.start({ name: "two", reach: "tunnel" });
  await s.grid.core.db.client.execute({
    sql: "UPDATE sessions SET worker_id = ? WHERE id = ? AND worker_id = ?",
    args: [other.id, id, holder.id],
  });
  const { code } = await readRejection(s.toUrl(id));
  assert.equal(code, "worker_unreachable");
  assert.equal(s.upstream.sockets.length, 0);
});

Deno.test("a worker whose row was deleted opens its tunnel again after it has registered", async () => {
  await using s = await tunnelScene({ settings: { heartbeat_seconds: 1 } });
  const { worker } = await s.start({ reach: "tunnel" });
  await s.grid.workers.remove(worker.id);
  await s.waitForTunnel(worker);
  using client = await rawClient(s.toUrl(await s.running()));
  assert.match(client.head, /^HTTP\/1\.1 101 /);
});

Deno.test("a browser that is not at its worker's address is reached through the tunnel without a probe", async () => {
  await using s = await tunnelScene();
  s.provider.knobs.endpoint = new URL("ws://box.invalid:9/devtools/browser/x");
  await s.start();
  const id = await s.running();
  assert.equal(await s.readReach(id), "tunnel");
  using _client = await rawClient(s.toUrl(id));
  assert.equal(s.upstream.lastRequest()?.headers.host, "127.0.0.1:0");
});
