import assert from "node:assert/strict";
import { once } from "node:events";
import { createFakeClock } from "../support/clock.ts";
import { readProblem } from "../support/read_problem.ts";
import { type RawClient, rawClient, readBytes } from "../support/raw_client.ts";
import { untilWaiting } from "../support/until_waiting.ts";
import { gatewayScene, type SceneOptions } from "./scene.ts";

/** A scene whose time stands still. */
async function still(session: SceneOptions["session"] = {}) {
  const clock = createFakeClock();
  const scene = await gatewayScene({ session, grid: { clock } });
  return { ...scene, clock };
}

async function assertEcho({ socket }: RawClient): Promise<void> {
  // A whole frame, as a browser sends it.
  const frame = "\x02\x05hello";
  socket.write(frame);
  const back = await readBytes(socket, frame.length);
  assert.equal(new TextDecoder().decode(back), frame);
}

/** Code and reason of the close frame that comes next, the reason of this length. */
async function closeOf({ socket }: RawClient, length: number) {
  const frame = await readBytes(socket, 4 + length);
  const view = new DataView(frame.buffer, frame.byteOffset);
  return [view.getUint16(2), new TextDecoder().decode(frame.subarray(4))];
}

Deno.test("a session takes as many clients as max_connections says, pages' sockets too, and tells one more how to share", async () => {
  await using scene = await still({ max_connections: 2 });
  using first = await rawClient(scene.url);
  using second = await rawClient(`${scene.url}/devtools/page/A`);
  const third = rawClient(scene.url);
  await untilWaiting();
  scene.clock.advance(2_000);
  using refused = await third;
  const problem = await readProblem(refused);
  assert.deepEqual(
    [problem.status, problem.code, problem.max_connections],
    [429, "too_many_connections", 2],
  );
  assert.match(refused.head, /^retry-after: 2\r$/im);
  assert.match(String(problem.detail), /max_connections.*takeover=true/);
  for (const client of [first, second]) await assertEcho(client);
  assert.equal(scene.upstream.sockets.length, 2, "the browser saw no third");
});

Deno.test("without max_connections a session has one client; another that comes while it leaves is connected", async () => {
  await using scene = await still();
  const first = await rawClient(scene.url);
  const connecting = rawClient(scene.url);
  await untilWaiting();
  assert.equal(scene.upstream.sockets.length, 1);
  first[Symbol.dispose]();
  using second = await connecting;
  assert.match(second.head, /^HTTP\/1.1 101 /);
  await assertEcho(second);
});

Deno.test("of two clients at once that want the only place one is refused", async () => {
  await using scene = await still();
  const asked = [rawClient(scene.url), rawClient(scene.url)];
  await Promise.race(asked);
  await untilWaiting();
  scene.clock.advance(2_000);
  const clients = await Promise.all(asked);
  const statuses = clients.map(({ head }) => head.slice(9, 12)).sort();
  for (const client of clients) client[Symbol.dispose]();
  assert.deepEqual(statuses, ["101", "429"]);
});

Deno.test("a browser that does not answer takes no place away", async () => {
  await using scene = await still();
  const { api, grid: { core: { db } }, upstream, sessionId } = scene;
  await upstream[Symbol.asyncDispose]();
  for (let time = 0; time < 2; time++) {
    const before = db.trips();
    using client = await rawClient(scene.url);
    assert.equal((await readProblem(client)).code, "worker_unreachable");
    assert.equal(db.trips() - before, 1, "one read, before the browser");
  }
  const { body } = await api.call("GET", `/sessions/${sessionId}`);
  assert.equal(body.status, "running");
});

Deno.test("with takeover=true a client takes the place of the oldest, which is closed with 4001", async () => {
  await using scene = await still();
  using old = await rawClient(scene.url);
  await assertEcho(old);
  using heir = await rawClient(`${scene.url}?takeover=true`);
  assert.match(heir.head, /^HTTP\/1.1 101 /);
  const reason = "taken over";
  assert.deepEqual(await closeOf(old, reason.length), [4001, reason]);
  await assertEcho(heir);
  using odd = await rawClient(`${scene.url}?takeover=perhaps`);
  assert.equal((await readProblem(odd)).code, "invalid_request");
});

Deno.test("a session that ends while a client waits for a place refuses it as ended", async () => {
  await using scene = await still();
  using _first = await rawClient(scene.url);
  const waiting = rawClient(scene.url);
  await untilWaiting();
  await scene.api.call("DELETE", `/sessions/${scene.sessionId}?force=true`);
  using refused = await waiting;
  assert.equal((await readProblem(refused)).code, "session_ended");
});

Deno.test("every socket's answer tells the session and where to connect to it again, and what follows comes as it is", async () => {
  const greeting = new TextEncoder().encode("hello from the browser");
  await using scene = await gatewayScene({ upstream: { greeting } });
  using client = await rawClient(`${scene.url}/devtools/page/A`);
  const [, id] = /^browsergrid-session-id: (.*)\r$/im.exec(client.head) ?? [];
  const [, url] = /^browsergrid-connect-url: (.*)\r$/im.exec(client.head) ?? [];
  assert.deepEqual([id, url], [scene.sessionId, scene.url]);
  const missing = greeting.length - client.rest.length;
  const rest = missing > 0 ? await readBytes(client.socket, missing) : [];
  assert.deepEqual([...client.rest, ...rest], [...greeting]);
});

Deno.test("where keys are needed, the answer's connect URL has a token that connects", async () => {
  const key = "key-0123456789";
  await using scene = await gatewayScene({
    grid: { settings: { api_key: key } },
    headers: { "x-api-key": key },
  });
  const toUrl = ({ head }: RawClient) =>
    /^browsergrid-connect-url: (.*)\r$/im.exec(head)?.[1] ?? "";
  const first = await rawClient(`${scene.url}?token=${key}`);
  const url = toUrl(first);
  assert.ok(url.startsWith(`${scene.url}?token=ct_`), url);
  const left = once(first.socket, "close");
  first[Symbol.dispose]();
  await left;
  using again = await rawClient(url);
  assert.match(again.head, /^HTTP\/1.1 101 /);
  assert.equal(toUrl(again), url, "no token lasts longer for being shown");
});

Deno.test("a client of /v1/connect that loses its place while it is dialled leaves the browser to the other, with keep_alive or without", async () => {
  for (const query of ["", "?keep_alive=60"]) {
    const dialled = Promise.withResolvers<void>();
    let count = 0;
    await using scene = await gatewayScene({
      upstream: {
        onHandshake: () => {
          count++;
          dialled.resolve();
          // The first is never answered.
          return count > 1;
        },
      },
    });
    const { api, grid, upstream } = scene;
    const workerId = await api.worker();
    const made = grid.core.bus.next(
      ({ type }) => type === "session_created",
      AbortSignal.timeout(10_000),
    );
    const ws = grid.url.replace("http", "ws");
    const connecting = rawClient(`${ws}/v1/connect${query}`);
    await made;
    const claimed = await api.claim(workerId);
    assert.ok(claimed);
    const { endpoint } = upstream;
    await api.report(workerId, claimed, "running", { endpoint });
    await dialled.promise;
    using heir = await rawClient(
      `${ws}/v1/sessions/${claimed.id}/cdp?takeover=true`,
    );
    using first = await connecting;
    assert.match(first.head, /^HTTP\/1\.1 429 /);
    await assertEcho(heir);
    assert.equal((await grid.sessions.get(claimed.id)).stopReason, null);
  }
});
