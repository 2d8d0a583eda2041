import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { RequestSender } from "../../../src/apps/webhooks/delivery/send_request.ts";

/** Starts a receiver that counts its connections. */
async function startCounting(respond: RequestListener) {
  const sockets: Socket[] = [];
  const server = createServer(respond);
  server.on("connection", (socket: Socket) => sockets.push(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { signal } = new AbortController();
  return {
    sockets,
    request: {
      url: new URL(`http://receiver.test:${port}/hook?a=1`),
      address: "127.0.0.1",
      headers: { "content-type": "application/json" },
      body: "{}",
      signal,
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function untilClosed(socket: Socket | undefined): Promise<void> {
  assert.ok(socket);
  if (!socket.destroyed) await once(socket, "close");
}

Deno.test("requests to one address share a connection, which is closed when it is idle", async () => {
  await using receiver = await startCounting((incoming, outgoing) => {
    incoming.resume();
    incoming.on("end", () => outgoing.end(`${incoming.headers.host}`));
  });
  await using sender = new RequestSender();
  for (let count = 0; count < 3; count++) {
    const { status, text } = await sender.send(receiver.request);
    assert.deepEqual([status, text], [200, receiver.request.url.host]);
  }
  const [socket, ...others] = receiver.sockets;
  assert.deepEqual(others, []);
  await untilClosed(socket);
  assert.equal((await sender.send(receiver.request)).status, 200);
  assert.equal(receiver.sockets.length, 2);
});

Deno.test("disposal closes the idle connections", async () => {
  await using receiver = await startCounting((incoming, outgoing) => {
    incoming.resume();
    outgoing.end();
  });
  {
    await using sender = new RequestSender();
    await sender.send(receiver.request);
  }
  const [socket] = receiver.sockets;
  await untilClosed(socket);
});

Deno.test("a request whose idle connection the receiver closes is sent over a new one", async () => {
  let requests = 0;
  await using receiver = await startCounting((incoming, outgoing) => {
    incoming.resume();
    // The second request is the first one's successor on its connection.
    if (++requests === 2) incoming.socket.destroy();
    else outgoing.end("ok");
  });
  await using sender = new RequestSender();
  await sender.send(receiver.request);
  const { status, text } = await sender.send(receiver.request);
  assert.deepEqual([status, text], [200, "ok"]);
  assert.deepEqual([requests, receiver.sockets.length], [3, 2]);
});

Deno.test("a new connection that is closed without a response is an error", async () => {
  await using receiver = await startCounting((incoming) => {
    incoming.socket.destroy();
  });
  await using sender = new RequestSender();
  await assert.rejects(sender.send(receiver.request));
  assert.equal(receiver.sockets.length, 1);
});

Deno.test("the connection of a body that is not read to its end is closed", async () => {
  await using receiver = await startCounting((incoming, outgoing) => {
    incoming.resume();
    outgoing.write("a".repeat(100_000));
  });
  await using sender = new RequestSender();
  const { text } = await sender.send(receiver.request);
  assert.equal(text, "a".repeat(4_096));
  const [socket] = receiver.sockets;
  await untilClosed(socket);
});
