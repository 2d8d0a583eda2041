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

/** Only what a test is about happens when its clock is moved. */
const PATIENT = { lease_seconds: 86_400, heartbeat_seconds: 3_600 };

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("bytes pass both ways through a worker's tunnel, also those that come with either handshake", async () => {
  await using s = await tunnelScene({ upstream: { greeting: bytes("hello") } });
  await s.start({ reach: "tunnel" });
  const id = await s.running();
  using client = await rawClient(s.toUrl(id), {}, bytes("early"));
  assert.match(client.head, /^HTTP\/1\.1 101 /);
  const rest = await readBytes(client.socket, 10 - client.rest.length);
  assert.equal(text(client.rest) + text(rest), "helloearly");
  client.socket.write("more");
  assert.equal(text(await readBytes(client.socket, 4)), "more");
  assert.equal(await s.reachOf(id), "tunnel");
});

Deno.test("a page of a browser behind a tunnel, and Chrome's HTTP endpoints, are reached too", async () => {
  await using s = await tunnelScene();
  await s.start({ reach: "tunnel" });
  const id = await s.running();
  const answer = await s.grid.request(`/v1/sessions/${id}/cdp/json/version`);
  assert.equal((await answer.json()).Browser, "Chrome/1");
  using _client = await rawClient(`${s.toUrl(id)}/devtools/page/PAGE`);
  assert.equal(s.upstream.lastRequest()?.url, "/devtools/page/PAGE");
});

Deno.test("a megabyte arrives whole through a tunnel, in both directions at once", async () => {
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

Deno.test("without being told, the server takes a browser's address where that browser answers, for later sessions at once", async () => {
  await using s = await tunnelScene();
  s.provider.knobs.endpoint = new URL(s.upstream.endpoint);
  await s.start();
  const first = await s.running();
  await s.untilReached(first, "direct");
  assert.equal(await s.reachOf(await s.running()), "direct");
});

Deno.test("without being told, the server takes the tunnel where another browser answers at the address, or nobody", async () => {
  await using s = await tunnelScene();
  await using other = await startUpstream();
  s.provider.knobs.endpoint = new URL(`${other.endpoint}-another`);
  await s.start();
  const first = await s.running();
  using client = await rawClient(s.toUrl(first));
  await s.untilReached(first, "tunnel");
  client.socket.write("a");
  assert.equal(text(await readBytes(client.socket, 1)), "a");
  assert.equal(other.sockets.length, 0);
  s.provider.knobs.endpoint = new URL(UNREACHED);
  assert.equal(await s.reachOf(await s.running()), "tunnel");
});

Deno.test("an address that no longer answers is given up for the tunnel, for every session of its worker", async () => {
  await using s = await tunnelScene();
  const near = await startUpstream();
  s.provider.knobs.endpoint = new URL(near.endpoint);
  await s.start();
  const [first, second] = [await s.running(), await s.running()];
  await s.untilReached(second, "direct");
  await near[Symbol.asyncDispose]();
  using client = await rawClient(s.toUrl(first));
  assert.match(client.head, /^HTTP\/1\.1 101 /);
  await s.untilReached(second, "tunnel");
});

Deno.test("what is connected stays when a worker's tunnel drops, a client that comes meanwhile waits for it, and later ones connect", async () => {
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

Deno.test("a client is told to try again when the worker's tunnel does not come back in five seconds", async () => {
  const clock = createFakeClock();
  await using s = await tunnelScene({ clock, settings: PATIENT });
  const { worker, tunnel } = await s.start({ reach: "tunnel" });
  const id = await s.running();
  await tunnel[Symbol.asyncDispose]();
  await s.untilTunnel(worker, { isUp: false });
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

Deno.test("a tunnel whose worker has vanished without a word is noticed by its silence", async () => {
  const clock = createFakeClock();
  await using s = await tunnelScene({ clock, settings: PATIENT });
  await using link = await layLink(s.grid.url);
  const { worker } = await s.start({ tunnelUrl: link.url });
  link.hang();
  await eventually("it is noticed", async () => {
    clock.advance(20_000);
    const { tunnelUrl } = await s.grid.workers.get(worker.id);
    return tunnelUrl === null;
  });
});

Deno.test("the browser's end closes the client's socket through the tunnel, and the client's the browser's", async () => {
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

Deno.test("a worker opens no stream for a session that it does not hold, whatever it is asked", async () => {
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

Deno.test("a worker whose row was deleted opens its tunnel anew when it has registered again", async () => {
  await using s = await tunnelScene({ settings: { heartbeat_seconds: 1 } });
  const { worker } = await s.start({ reach: "tunnel" });
  await s.grid.workers.remove(worker.id);
  await s.untilTunnel(worker);
  using client = await rawClient(s.toUrl(await s.running()));
  assert.match(client.head, /^HTTP\/1\.1 101 /);
});

Deno.test("a browser that is not at its worker's address is reached through the tunnel at once, and never dialled", async () => {
  await using s = await tunnelScene();
  s.provider.knobs.endpoint = new URL("ws://box.invalid:9/devtools/browser/x");
  await s.start();
  const id = await s.running();
  assert.equal(await s.reachOf(id), "tunnel");
  using _client = await rawClient(s.toUrl(id));
  assert.equal(s.upstream.lastRequest()?.headers.host, "127.0.0.1:0");
});
