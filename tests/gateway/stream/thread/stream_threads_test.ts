import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type Duplex, duplexPair } from "node:stream";
import {
  CLOSE_REASONS,
  encodeCloseFrame,
} from "../../../../src/gateway/stream/close_frame.ts";
import { StreamThreads } from "../../../../src/gateway/stream/thread/stream_threads.ts";
import { eventually } from "../../../support/eventually.ts";
import { startNode } from "../../../support/node_process.ts";
import { readBytes } from "../../../support/raw_client.ts";
import { createThreads, HEAD, HOMES, joinedScene } from "../joined_scene.ts";

const THREADS = HOMES.filter((home) => home !== "main thread");

/** Returns the number of sockets of this process. */
function countSockets(): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;
}

for (const home of THREADS) {
  Deno.test(
    `no socket is left by any end of a stream, nor by streams that are open when the thread is ended (${home})`,
    {
      ignore: Deno.build.os !== "linux",
    },
    async () => {
      const before = countSockets();
      {
        await using scene = await joinedScene(home);
        const streams = [];
        for (let at = 0; at < 8; at++) streams.push(await scene.join());
        const [first, second, third] = streams;
        first?.client.destroy();
        second?.browser.destroy();
        third?.stream.close(CLOSE_REASONS.sessionEnded);
        for (const { client } of [second, third].filter((each) => !!each)) {
          client.resume();
          client.on("end", () => client.destroy());
        }
        await Promise.all(
          [first, second, third].map((each) => each?.stream.ended),
        );
        await scene.threads[Symbol.asyncDispose]();
        const ends = await Promise.all(
          streams.map(({ stream }) => stream.ended),
        );
        assert.deepEqual(ends.map(({ by }) => by), [
          ...["client", "browser", "grid"],
          ...Array<string>(5).fill("grid"),
        ]);
      }
      await eventually(
        "as many sockets are open as before",
        () => Promise.resolve(countSockets() === before),
      );
    },
  );
}

Deno.test(
  "streams of a thread that fails are closed with 1012, the next stream gets a new thread, and no socket is left",
  {
    ignore: Deno.build.os !== "linux",
  },
  async () => {
    const before = countSockets();
    {
      const module = new URL("failing_worker.ts", import.meta.url);
      await using scene = await joinedScene(
        "stream thread",
        new StreamThreads({ module }),
      );
      for (let round = 0; round < 2; round++) {
        await scene.threads.start();
        const failing = await scene.join();
        const other = await scene.join();
        await readBytes(other.client, HEAD.length);
        failing.browser.resume();
        failing.client.write("fail");
        const frame = encodeCloseFrame(CLOSE_REASONS.streamFailed);
        const received = await readBytes(other.client, frame.length);
        assert.deepEqual(received, Buffer.from(frame));
        other.client.destroy();
        failing.client.destroy();
        const ends = [await failing.stream.ended, await other.stream.ended];
        assert.deepEqual(ends.map(({ by }) => by), ["grid", "grid"]);
      }
    }
    await eventually(
      "as many sockets are open as before",
      () => Promise.resolve(countSockets() === before),
    );
  },
);

Deno.test("streams stay on the main thread if the thread cannot start", async () => {
  const module = new URL("no_such_module.ts", import.meta.url);
  await using scene = await joinedScene(
    "stream thread",
    new StreamThreads({ module }),
  );
  const { client, browser } = await scene.join();
  client.write("hello");
  assert.equal(String(await readBytes(browser, 5)), "hello");
});

Deno.test("a stream without a file descriptor stays on the main thread", async () => {
  await using threads = new StreamThreads();
  await threads.start();
  const [client, outer] = duplexPair();
  const [upstream, browser] = duplexPair();
  const stream = threads.join(client, upstream, {
    first: {
      toClient: HEAD,
      headLength: HEAD.length,
      toBrowser: Buffer.from("hello"),
    },
    explain: () => Promise.resolve(CLOSE_REASONS.browserGone),
  });
  const [received] = await once(browser, "data");
  assert.equal(String(received), "hello");
  stream.close(CLOSE_REASONS.sessionEnded);
  outer.resume();
  outer.end();
  await stream.ended;
});

for (const home of THREADS) {
  Deno.test(`a browser behind a unix socket is moved to the thread, and its socket closed at the end (${home})`, async () => {
    const folder = await Deno.makeTempDir();
    await using threads = await createThreads(home);
    await threads.start();
    const server = createServer();
    try {
      const path = `${folder}/browser`;
      server.listen(path);
      await once(server, "listening");
      const connect_ = () => connect({ path });
      const accept = () =>
        new Promise<Socket>((resolve) => server.once("connection", resolve));
      const [outerAccepted, client] = [accept(), connect_()];
      const outer = await outerAccepted;
      const [browserAccepted, upstream] = [accept(), connect_()];
      const browser = await browserAccepted;
      const stream = threads.join(client, upstream, {
        first: {
          toClient: HEAD,
          headLength: HEAD.length,
          toBrowser: new Uint8Array(),
        },
        explain: () => Promise.resolve(CLOSE_REASONS.browserGone),
      });
      assert.ok(client.destroyed && upstream.destroyed);
      browser.pipe(browser);
      outer.write("hello");
      const received = await readBytes(outer, HEAD.length + 5);
      assert.match(String(received), /hello$/);
      outer.destroy();
      await once(browser, "close");
      assert.equal((await stream.ended).by, "client");
    } finally {
      server.close();
      await once(server, "close");
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/**
 * Browser and client in one process: the browser sends back what it receives. Prints the longest round trip of the
 * client, in milliseconds, 3 s after the first.
 */
const TRIPS = `
  import net from "node:net";
  const browser = net.createServer((socket) => socket.pipe(socket));
  browser.listen(0, "127.0.0.1", () => console.log(browser.address().port));
  const client = net.connect(Number(process.argv.at(-1)), "127.0.0.1");
  client.write("GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: Upgrade\\r\\nUpgrade: x\\r\\n\\r\\n");
  let startedAt = 0;
  let longest = 0;
  client.on("data", () => {
    if (startedAt === 0) {
      console.log("joined");
      setTimeout(() => console.log(longest), 3_000);
    } else longest = Math.max(longest, performance.now() - startedAt);
    startedAt = performance.now();
    client.write("x");
  });
`;

for (const home of THREADS) {
  Deno.test(`streams do not wait for the main thread (${home})`, async () => {
    await using threads = await createThreads(home);
    await threads.start();
    const server = createHttpServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo; // A TCP server's address is never text.
    const upgrade = new Promise<Duplex>((resolve) =>
      server.once("upgrade", (_, socket) => resolve(socket))
    );
    await using peers = await startNode(TRIPS, [String(port)]);
    const upstream = connect(Number(await peers.line()), "127.0.0.1");
    await once(upstream, "connect");
    upstream.pause();
    const stream = threads.join(await upgrade, upstream, {
      first: {
        toClient: HEAD,
        headLength: HEAD.length,
        toBrowser: new Uint8Array(),
      },
      explain: () => Promise.resolve(CLOSE_REASONS.browserGone),
    });
    assert.equal(await peers.line(), "joined");
    const startedAt = performance.now();
    while (performance.now() - startedAt < 2_000);
    const longestMs = Number(await peers.line());
    assert.ok(longestMs < 1_000, `the longest trip took ${longestMs} ms`);
    peers.kill();
    await stream.ended;
    server.close();
    await once(server, "close");
  });
}
