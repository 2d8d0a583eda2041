import assert from "node:assert/strict";
import { once } from "node:events";
import { createFakeClock } from "../support/clock.ts";
import { readProblem } from "../support/read_problem.ts";
import { type RawClient, rawClient, readBytes } from "../support/raw_client.ts";
import { untilWaiting } from "../support/until_waiting.ts";
import { gatewayScene, type SceneOptions } from "./scene.ts";

/** A scene with a fake clock. */
async function stillScene(session: SceneOptions["session"] = {}) {
  const clock = createFakeClock();
  const scene = await gatewayScene({ session, grid: { clock } });
  return { ...scene, clock };
}

async function assertEcho({ socket }: RawClient): Promise<void> {
  // A whole frame: the browser echoes it, and the gateway follows its frames.
  const frame = "\x02\x05hello";
  socket.write(frame);
  const back = await readBytes(socket, frame.length);
  assert.equal(new TextDecoder().decode(back), frame);
}

/** Reads a close frame with a reason of `length` bytes. */
async function readClose({ socket }: RawClient, length: number) {
  const frame = await readBytes(socket, 4 + length);
  const view = new DataView(frame.buffer, frame.byteOffset);
  return [view.getUint16(2), new TextDecoder().decode(frame.subarray(4))];
}

Deno.test("a session has at most max_connections clients, including clients of pages; another client is rejected with a hint", async () => {
  await using scene = await stillScene({ max_connections: 2 });
  using first = await rawClient(scene.url);
  using second = await rawClient(`${scene.url}/devtools/page/A`);
  const third = rawClient(scene.url);
  await untilWaiting();
  scene.clock.advance(2_000);
  using rejected = await third;
  const problem = await readProblem(rejected);
  assert.deepEqual(
    [problem.status, problem.code, problem.max_connections],
    [429, "too_many_connections", 2],
  );
  assert.match(rejected.head, /^retry-after: 2\r$/im);
  assert.match(String(problem.detail), /max_connections.*takeover=true/);
  for (const client of [first, second]) await assertEcho(client);
  assert.equal(
    scene.upstream.sockets.length,
    2,
    "the third client does not reach the browser",
  );
});

Deno.test("without max_connections a session has one client; another client is connected when the first disconnects", async () => {
  await using scene = await stillScene();
  const first = await rawClient(scene.url);
  const connecting = rawClient(scene.url);
  await untilWaiting();
  assert.equal(scene.upstream.sockets.length, 1);
  first[Symbol.dispose]();
  using second = await connecting;
  assert.match(second.head, /^HTTP\/1.1 101 /);
  await assertEcho(second);
});

Deno.test("one of two clients that request the only slot at once is rejected", async () => {
  await using scene = await stillScene();
  const connecting = [rawClient(scene.url), rawClient(scene.url)];
  await Promise.race(connecting);
  await untilWaiting();
  scene.clock.advance(2_000);
  const clients = await Promise.all(connecting);
  const statuses = clients.map(({ head }) => head.slice(9, 12)).sort();
  for (const client of clients) client[Symbol.dispose]();
  assert.deepEqual(statuses, ["101", "429"]);
});

Deno.test("a browser that does not respond does not occupy a slot", async () => {
  await using scene = await stillScene();
  const { api, grid: { core: { db } }, upstream, sessionId } = scene;
  await upstream[Symbol.asyncDispose]();
  for (let time = 0; time < 2; time++) {
    const before = db.trips();
    using client = await rawClient(scene.url);
    assert.equal((await readProblem(client)).code, "worker_unreachable");
    assert.equal(
      db.trips() - before,
      1,
      "one read, before the browser is dialled",
    );
  }
  const { body } = await api.call("GET", `/sessions/${sessionId}`);
  assert.equal(body.status, "running");
});

Deno.test("with takeover=true a client takes the slot of the oldest client, which is closed with 4001", async () => {
  await using scene = await stillScene();
  using old = await rawClient(scene.url);
  await assertEcho(old);
  using successor = await rawClient(`${scene.url}?takeover=true`);
  assert.match(successor.head, /^HTTP\/1.1 101 /);
  const reason = "taken over";
  assert.deepEqual(await readClose(old, reason.length), [4001, reason]);
  await assertEcho(successor);
  using invalid = await rawClient(`${scene.url}?takeover=perhaps`);
  assert.equal((await readProblem(invalid)).code, "invalid_request");
});

Deno.test("a client that waits for a slot of a session which ends gets session_ended", async () => {
  await using scene = await stillScene();
  using _first = await rawClient(scene.url);
  const waiting = rawClient(scene.url);
  await untilWaiting();
  await scene.api.call("DELETE", `/sessions/${scene.sessionId}?force=true`);
  using rejected = await waiting;
  assert.equal((await readProblem(rejected)).code, "session_ended");
});

Deno.test("every handshake response names the session and its connect URL, and the bytes after it are unchanged", async () => {
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

Deno.test("with authentication, the connect URL of a handshake response has a token that connects", async () => {
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
  const closed = once(first.socket, "close");
  first[Symbol.dispose]();
  await closed;
  using again = await rawClient(url);
  assert.match(again.head, /^HTTP\/1.1 101 /);
  assert.equal(toUrl(again), url, "the lifetime of a token is not extended");
});

Deno.test("a client of /v1/connect that is evicted before it is connected leaves the session to its successor, with or without keep_alive", async () => {
  for (const query of ["", "?keep_alive=60"]) {
    const dialled = Promise.withResolvers<void>();
    let count = 0;
    await using scene = await gatewayScene({
      upstream: {
        onHandshake: () => {
          count++;
          dialled.resolve();
          // The first handshake gets no response.
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
    using successor = await rawClient(
      `${ws}/v1/sessions/${claimed.id}/cdp?takeover=true`,
    );
    using first = await connecting;
    assert.match(first.head, /^HTTP\/1\.1 429 /);
    await assertEcho(successor);
    assert.equal((await grid.sessions.get(claimed.id)).stopReason, null);
  }
});
