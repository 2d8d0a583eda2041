import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { startServer } from "../../../src/http/server/server.ts";
import { createFakeClock } from "../../support/clock.ts";

/** A server whose handler rejects every request for overload. */
async function startScene() {
  const state = { isOverloaded: true, handled: 0 };
  const clock = createFakeClock();
  const rejected = new WeakSet<object>();
  const admission = {
    arrive: () => state.isOverloaded,
    wasRejected: (request: object) => rejected.has(request),
  };
  const server = await startServer({
    host: "127.0.0.1",
    port: 0,
    fetch: (_, { incoming }) => {
      if (incoming) rejected.add(incoming);
      return new Response(`rejected ${++state.handled}`, {
        status: 503,
        headers: { "retry-after": "2", "x-request-id": `${state.handled}` },
      });
    },
    admission,
    clock,
    upgraders: [],
    graceMs: 100,
  });
  const url = `http://127.0.0.1:${server.port}/v1/sessions`;
  async function ask(headers: Record<string, string> = {}, path = "") {
    const init = { method: "POST", headers, body: "{}" };
    const response = await fetch(url + path, init);
    assert.equal(response.status, 503);
    assert.equal(response.headers.get("retry-after"), "2");
    const text = await response.text();
    assert.equal(text, `rejected ${response.headers.get("x-request-id")}`);
    return text;
  }
  return {
    ask,
    clock,
    port: server.port,
    state,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

Deno.test("a repeated request gets the same rejection without being handled", async () => {
  await using own = await startScene();
  assert.equal(await own.ask(), "rejected 1");
  assert.equal(await own.ask(), "rejected 1");
  assert.equal(own.state.handled, 1);
});

Deno.test("a rejection is not repeated to another key, address, origin or path", async () => {
  await using own = await startScene();
  await own.ask({ "x-api-key": "one" });
  const others = [
    await own.ask({ "x-api-key": "two" }),
    await own.ask({ "authorization": "Bearer one" }),
    await own.ask({ "x-api-key": "one", "x-forwarded-for": "192.0.2.1" }),
    await own.ask({ "x-api-key": "one", "origin": "https://a.example" }),
    await own.ask({ "x-api-key": "one" }, "?wait=1"),
  ];
  assert.equal(new Set(others).size, 5);
  assert.equal(own.state.handled, 6);
});

Deno.test("a rejection is not repeated after 1 s, nor once the overload has ended", async () => {
  await using own = await startScene();
  await own.ask();
  own.clock.advance(1_001);
  assert.equal(await own.ask(), "rejected 2");
  own.state.isOverloaded = false;
  assert.equal(await own.ask(), "rejected 3");
});

Deno.test("a repeated rejection leaves the connection usable, and discards the body", async () => {
  await using own = await startScene();
  await own.ask();
  const socket = connect(own.port, "127.0.0.1");
  await once(socket, "connect");
  const body = "x".repeat(100_000);
  const request =
    `POST /v1/sessions HTTP/1.1\r\nhost: 127.0.0.1:${own.port}\r\n` +
    `accept-encoding: gzip, br\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  let text = "";
  socket.on("data", (chunk) => text += chunk);
  socket.write(request.repeat(2));
  while (text.split("retry-after").length < 3) await once(socket, "data");
  assert.equal(text.match(/HTTP\/1\.1 503/g)?.length, 2);
  socket.destroy();
  await once(socket, "close");
});
