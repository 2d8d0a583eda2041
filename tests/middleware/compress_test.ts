import assert from "node:assert/strict";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { Hono } from "hono";
import type { GridEnv } from "../../src/core/middleware.ts";
import { compress } from "../../src/middleware/compress.ts";
import { startServer } from "../../src/http/server/server.ts";
import { rawHttp } from "../support/raw_http.ts";
import { testGrid } from "../support/grid.ts";
import { createTestRouter, request } from "./chained.ts";

async function encodingFor(accept: string | undefined, path = "/v1/large") {
  const headers = accept === undefined ? {} : { "accept-encoding": accept };
  const { headers: answered, body } = await request(createTestRouter(), path, {
    headers,
  });
  await body?.cancel();
  return answered.get("content-encoding");
}

Deno.test("compress selects the encoding that the client prefers, and its own order among equals", async () => {
  assert.equal(await encodingFor("gzip, deflate, br"), "br");
  assert.equal(await encodingFor("gzip, deflate"), "gzip");
  assert.equal(await encodingFor("br;q=0.5, gzip;q=0.8"), "gzip");
  assert.equal(await encodingFor("br;q=0, *"), "gzip");
  assert.equal(await encodingFor("deflate;q=0.1"), "deflate");
  assert.equal(await encodingFor("identity"), null);
  assert.equal(await encodingFor("gzip;q=0"), null);
  assert.equal(await encodingFor("*;q=0"), null);
  assert.equal(await encodingFor(undefined), null);
});

Deno.test("compressed responses can be decompressed", async () => {
  const plain = await (await request(createTestRouter(), "/v1/large")).text();
  const decoders = {
    br: brotliDecompressSync,
    gzip: gunzipSync,
    deflate: inflateSync,
  };
  for (const [encoding, decode] of Object.entries(decoders)) {
    const response = await request(createTestRouter(), "/v1/large", {
      headers: { "accept-encoding": encoding },
    });
    assert.match(response.headers.get("vary") ?? "", /Accept-Encoding/);
    assert.equal(response.headers.get("content-length"), null);
    const bytes = await response.bytes();
    assert.ok(bytes.length < plain.length / 10, encoding);
    assert.equal(new TextDecoder().decode(decode(bytes)), plain, encoding);
  }
});

Deno.test("compress does not change small responses", async () => {
  const response = await request(createTestRouter(), "/v1/ok", {
    headers: { "accept-encoding": "gzip" },
  });
  assert.equal(response.headers.get("content-encoding"), null);
  assert.deepEqual(await response.json(), { ok: true });
});

/** Creates a route with only `compress`. */
async function answered(response: Response): Promise<Response> {
  const handler = Reflect.apply(compress.create, compress, [
    compress.optionsSchema.parse({}),
    {},
  ]);
  const app = new Hono<GridEnv>().use(handler).get("/", () => response);
  return await app.request("/", { headers: { "accept-encoding": "gzip" } });
}

Deno.test("compress does not change responses that are encoded, no-transform, partial or not text", async () => {
  const text = "text ".repeat(1_000);
  const untouched: readonly (readonly [number, Record<string, string>])[] = [
    [200, { "content-type": "text/plain", "content-encoding": "zstd" }],
    [200, { "content-type": "text/plain", "cache-control": "no-transform" }],
    [200, { "content-type": "image/png" }],
    [206, { "content-type": "text/plain" }],
    [200, { "content-type": "text/event-stream" }],
  ];
  for (const [status, headers] of untouched) {
    const response = await answered(new Response(text, { status, headers }));
    assert.notEqual(response.headers.get("content-encoding"), "gzip");
    assert.equal(await response.text(), text);
  }
});

Deno.test("compress makes a strong ETag weak, because the bytes differ", async () => {
  const response = await answered(
    new Response("text ".repeat(1_000), {
      headers: { "content-type": "text/plain", etag: '"abc"' },
    }),
  );
  assert.equal(response.headers.get("etag"), 'W/"abc"');
  await response.body?.cancel();
});

Deno.test("compress delays neither events nor responses without a first chunk", async () => {
  for (const type of ["text/event-stream", "text/plain"]) {
    const { readable, writable } = new TransformStream<Uint8Array>();
    const writer = writable.getWriter();
    const response = await answered(
      new Response(readable, { headers: { "content-type": type } }),
    );
    assert.equal(response.headers.get("content-encoding"), null);
    assert.ok(response.body);
    const reader = response.body.getReader();
    for (const event of ["data: 1\n\n", "data: 2\n\n"]) {
      void writer.write(new TextEncoder().encode(event));
      const { value } = await reader.read();
      assert.equal(new TextDecoder().decode(value), event);
    }
    await writer.close();
    assert.ok((await reader.read()).done);
  }
});

Deno.test("a client that leaves cancels the compressed stream", async () => {
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(4_096)),
    cancel: () => resolve(),
  });
  const response = await answered(
    new Response(endless, { headers: { "content-type": "text/plain" } }),
  );
  assert.equal(response.headers.get("content-encoding"), "gzip");
  await response.body?.cancel();
  await cancelled;
});

Deno.test("clients of a server receive fewer bytes and read the same body", async () => {
  await using grid = await testGrid({ listen: true });
  const plain = await (await fetch(`${grid.url}/openapi.json`, {
    headers: { "accept-encoding": "identity" },
  })).text();
  const decoded = await fetch(`${grid.url}/openapi.json`, {
    headers: { "accept-encoding": "br" },
  });
  assert.equal(await decoded.text(), plain);
  using client = await rawHttp(
    grid.url,
    "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: br\r\nConnection: close\r\n\r\n",
  );
  const { text } = await client.closed;
  assert.match(text, /^content-encoding: br\r$/mi);
  assert.ok(text.length < plain.length / 3, `${text.length} bytes`);
});

Deno.test("events are sent one by one, also to clients that accept compression", async () => {
  const { readable, writable } = new TransformStream<Uint8Array>();
  const writer = writable.getWriter();
  const headers = { "content-type": "text/event-stream" };
  await using server = await startServer({
    host: "127.0.0.1",
    port: 0,
    fetch: () => answered(new Response(readable, { headers })),
    upgraders: [],
    graceMs: 100,
  });
  using client = await rawHttp(
    `http://127.0.0.1:${server.port}`,
    "GET / HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n",
  );
  await client.until("\r\n\r\n");
  for (const event of ["data: 1\n\n", "data: 2\n\n"]) {
    await writer.write(new TextEncoder().encode(event));
    await client.until(event);
  }
  await writer.close();
  assert.doesNotMatch((await client.closed).text, /content-encoding/i);
});
