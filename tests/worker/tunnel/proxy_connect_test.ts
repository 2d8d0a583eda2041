import assert from "node:assert/strict";
import {
  connectViaProxy,
  renderConnectRequest,
} from "../../../src/worker/tunnel/proxy_connect.ts";
import { read, startPeer } from "./peers.ts";

const NEVER = new AbortController().signal;
const GRID = new URL("ws://grid.example:8765/v1");

Deno.test("renderConnectRequest() names the target with its port, which the protocol implies if the URL has none", () => {
  for (
    const [url, authority] of [
      ["https://grid.example/v1", "grid.example:443"],
      ["wss://grid.example/v1", "grid.example:443"],
      ["http://grid.example/v1", "grid.example:80"],
      ["ws://grid.example:8765/v1", "grid.example:8765"],
      ["http://[::1]:8765/v1", "[::1]:8765"],
    ] as const
  ) {
    assert.equal(
      renderConnectRequest(new URL("http://proxy:3128"), new URL(url)),
      `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`,
    );
  }
});

Deno.test("renderConnectRequest() sends the proxy's user name and password, decoded, in any script", () => {
  const proxy = new URL("http://us%20er:p%40ss%C3%BC@proxy:3128");
  const request = renderConnectRequest(proxy, GRID);
  const [, encoded = ""] = /Proxy-Authorization: Basic (\S+)/.exec(request) ??
    [];
  const decoded = new TextDecoder().decode(Uint8Array.fromBase64(encoded));
  assert.equal(decoded, "us er:p@ssü");
});

Deno.test("connectViaProxy() resolves with a connection that carries bytes to the target", async () => {
  await using proxy = await startPeer((socket) => {
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    socket.pipe(socket);
  });
  const url = new URL(`http://user:pass@127.0.0.1:${proxy.port}`);
  const socket = await connectViaProxy(url, GRID, NEVER);
  socket.write("hello");
  assert.equal(await read(socket), "hello");
  const [head = ""] = proxy.heads;
  assert.match(head, /^CONNECT grid\.example:8765 HTTP\/1\.1\r\n/);
  assert.match(head, /\r\nHost: grid\.example:8765\r\n/i);
  assert.match(head, /\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n/i);
  socket.destroy();
});

Deno.test("connectViaProxy() rejects with the proxy's status", async () => {
  for (const status of [403, 407, 502]) {
    await using proxy = await startPeer((socket) => {
      socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
    });
    const url = new URL(`http://127.0.0.1:${proxy.port}`);
    await assert.rejects(
      connectViaProxy(url, GRID, NEVER),
      new RegExp(`the proxy 127.0.0.1:\\d+ responds with ${status}`),
    );
  }
});

Deno.test("connectViaProxy() rejects a proxy that is not an HTTP proxy, without its credentials in the message", async () => {
  const proxy = new URL("socks5://user:open-sesame@proxy:1080");
  const failure = await connectViaProxy(proxy, GRID, NEVER).catch(String);
  assert.match(
    String(failure),
    /Cannot open a tunnel through the proxy socks5:\/\/proxy:1080: it is not an HTTP proxy, expected http:\/\/HOST:PORT/,
  );
  assert.doesNotMatch(String(failure), /open-sesame/);
});

Deno.test("connectViaProxy() rejects if the proxy does not listen, closes the connection, or the signal is aborted", async () => {
  const free = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = free.addr;
  free.close();
  await assert.rejects(
    connectViaProxy(new URL(`http://127.0.0.1:${port}`), GRID, NEVER),
    /refused/i,
  );
  await using closing = await startPeer((socket) => void socket.destroy());
  await assert.rejects(
    connectViaProxy(new URL(`http://127.0.0.1:${closing.port}`), GRID, NEVER),
  );
  const stop = new AbortController();
  await using silent = await startPeer(() => stop.abort());
  await assert.rejects(
    connectViaProxy(
      new URL(`http://127.0.0.1:${silent.port}`),
      GRID,
      stop.signal,
    ),
    { name: "AbortError" },
  );
});
