import assert from "node:assert/strict";
import { joinConns, writeAll } from "../../src/async/join_conns.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (words: string) => new TextEncoder().encode(words);

/** Two ends of a TCP connection; the outer one is closed on disposal. */
async function pair() {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const [outer, inner] = await Promise.all([
    Deno.connect({ port: listener.addr.port, hostname: "127.0.0.1" }),
    listener.accept(),
  ]);
  return { outer, inner };
}

/** Reads to the end of a connection. */
async function readAll(conn: Deno.Conn): Promise<Uint8Array> {
  return new Uint8Array(await new Response(conn.readable).arrayBuffer());
}

/** Two joined connections, whose outer ends the test holds. */
async function joined(early = "") {
  const [client, server] = [await pair(), await pair()];
  const stop = new AbortController();
  const done = joinConns(client.inner, server.inner, {
    early: bytes(early),
    signal: stop.signal,
  });
  return { client: client.outer, server: server.outer, stop, done };
}

Deno.test("joinConns() copies in both directions, the early bytes first, and resolves after both have ended", async () => {
  const { client, server, done } = await joined("early ");
  await writeAll(client, bytes("request"));
  const buffer = new Uint8Array(100);
  let received = "";
  while (received.length < "early request".length) {
    received += text(buffer.subarray(0, await server.read(buffer) ?? 0));
  }
  assert.equal(received, "early request");
  await writeAll(server, bytes("response"));
  server.close();
  assert.equal(text(await readAll(client)), "response");
  await done;
});

Deno.test("joinConns() copies data that is larger than any buffer unchanged", async () => {
  const { client, server, done } = await joined();
  const sent = new Uint8Array(3 * 2 ** 20).map((_, at) => at * 7 + (at >> 9));
  const reading = readAll(server);
  await writeAll(client, sent);
  await client.closeWrite();
  assert.deepEqual(await reading, sent);
  client.close();
  await done;
});

Deno.test("joinConns() lets one direction continue for 2 s after the other has ended, then closes it", async () => {
  const { client, server, done } = await joined();
  await client.closeWrite();
  assert.equal(await server.read(new Uint8Array(1)), null);
  await writeAll(server, bytes("late"));
  const startedAt = performance.now();
  const buffer = new Uint8Array(10);
  assert.equal(
    text(buffer.subarray(0, await client.read(buffer) ?? 0)),
    "late",
  );
  assert.equal(await client.read(buffer), null);
  assert.ok(performance.now() - startedAt > 1_500);
  client.close();
  server.close();
  await done;
});

Deno.test("joinConns() closes both connections when its signal is aborted, also before it starts", async () => {
  const { client, server, stop, done } = await joined();
  stop.abort();
  await done;
  const ends = await Promise.all([readAll(client), readAll(server)]);
  assert.deepEqual(ends.map(({ length }) => length), [0, 0]);
  const late = { client: await pair(), server: await pair() };
  await joinConns(late.client.inner, late.server.inner, {
    early: bytes("lost"),
    signal: AbortSignal.abort(),
  });
  assert.equal((await readAll(late.server.outer)).length, 0);
  late.client.outer.close();
});

Deno.test("joinConns() stops reading from one side while the other does not read", async () => {
  const { client, server, stop, done } = await joined();
  const chunk = new Uint8Array(2 ** 20);
  let written = 0;
  const writing = (async () => {
    for (;;) written += await client.write(chunk);
  })().catch(() => {});
  // Until the socket buffers are full, the count grows.
  let before = -1;
  while (before !== written) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(written < 64 * 2 ** 20, `${written} bytes were taken`);
  stop.abort();
  client.close();
  server.close();
  await Promise.all([writing, done]);
});
