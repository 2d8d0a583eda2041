import assert from "node:assert/strict";
import { testGrid } from "../../support/grid.ts";
import { rawHttp } from "../../support/raw_http.ts";
import { answerTo, assertServes, head, JSON_TYPE } from "./hostile_client.ts";

const MB = 2 ** 20;

const CHUNK = `${MB.toString(16)}\r\n${"a".repeat(MB)}\r\n`;

/** Bodies of 10 MB with and without a length. */
const LARGE_BODIES = [
  [`Content-Length: ${10 * MB}`, "a".repeat(10 * MB)],
  ["Transfer-Encoding: chunked", `${CHUNK.repeat(10)}0\r\n\r\n`],
] as const;

Deno.test("a body of 10 MB is rejected with 413, with a length or in chunks, and the server continues", async () => {
  await using grid = await testGrid({ listen: true });
  for (const [length, body] of LARGE_BODIES) {
    const line = "POST /v1/sessions HTTP/1.1";
    const { status, code } = await answerTo(
      grid,
      head(line, JSON_TYPE, length) + body,
    );
    assert.deepEqual([status, code], [413, "body_too_large"], length);
  }
  await assertServes(grid);
});

Deno.test("the connection of a rejected body carries the next request", async () => {
  await using grid = await testGrid({ listen: true });
  for (const path of ["/v1/sessions", "/v1/nothing"]) {
    for (const [length, body] of LARGE_BODIES) {
      const refused = head(`POST ${path} HTTP/1.1`, JSON_TYPE, length)
        .replace("Connection: close", "Connection: keep-alive");
      const next = head("GET /health HTTP/1.1");
      const { status, text } = await answerTo(grid, refused + body + next);
      assert.ok(status === 413 || status === 404, text);
      assert.match(text, /"status":"ok"\}$/);
    }
  }
});

Deno.test("a body in chunks within the limit is read as any other", async () => {
  await using grid = await testGrid({ listen: true });
  const post = (body: BodyInit) =>
    fetch(`${grid.url}/v1/workerpool/pools`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
    });
  const pool = JSON.stringify({ name: "chunked", provider_type: "local" });
  const chunks = [...pool].map((letter) => new TextEncoder().encode(letter));
  const response = await post(ReadableStream.from(chunks));
  assert.equal(response.status, 201);
  assert.equal((await response.json()).name, "chunked");
});

Deno.test("a body without a key is not read, whatever its length", async () => {
  await using grid = await testGrid({
    listen: true,
    settings: { api_key: "key-0123456789" },
  });
  using client = await rawHttp(
    grid.url,
    head("POST /v1/sessions HTTP/1.1", JSON_TYPE, "Transfer-Encoding: chunked"),
  );
  // No byte of the body has been sent.
  assert.match(await client.until("unauthorized"), /^HTTP\/1\.1 401 /);
});

Deno.test("an endless body is rejected at the limit", async () => {
  await using grid = await testGrid({ listen: true });
  using client = await rawHttp(
    grid.url,
    head("POST /v1/sessions HTTP/1.1", JSON_TYPE, "Transfer-Encoding: chunked"),
  );
  const chunk = `${(MB / 4).toString(16)}\r\n${"a".repeat(MB / 4)}\r\n`;
  let written = 0;
  const timer = setInterval(() => {
    client.socket.write(chunk);
    written += MB / 4;
  }, 5);
  const { status } = await client.closed;
  clearInterval(timer);
  assert.equal(status, 413);
  assert.ok(written < 60 * MB, `${written} bytes were read`);
  await assertServes(grid);
});

Deno.test("a body that is not JSON or has another content type is rejected with the reason", async () => {
  await using grid = await testGrid({ listen: true });
  const post = (
    body: BodyInit,
    type: string | undefined = "application/json",
  ) =>
    fetch(`${grid.url}/v1/sessions`, {
      method: "POST",
      body,
      headers: type === "" ? {} : { "content-type": type },
    });
  const cases:
    readonly (readonly [Promise<Response>, readonly [number, string]])[] = [
      [post("{"), [400, "malformed_json"]],
      [post(new Uint8Array([0xff, 0xfe, 0x00])), [400, "malformed_json"]],
      [post('{"browser":"chrome"}garbage'), [400, "malformed_json"]],
      [post("[".repeat(100_000)), [413, "body_too_large"]],
      [post("null"), [422, "invalid_request"]],
      [post("[]"), [422, "invalid_request"]],
      [post('"text"'), [422, "invalid_request"]],
      [post('{"__proto__":{"browser":"chrome"}, "x": 1}'), [
        422,
        "invalid_request",
      ]],
      [post("[".repeat(10_000) + "]".repeat(10_000)), [422, "invalid_request"]],
      [post("a=b", "application/x-www-form-urlencoded"), [
        415,
        "unsupported_media_type",
      ]],
      [post("<a/>", "application/xml"), [415, "unsupported_media_type"]],
      [post("{}", "text/plain"), [415, "unsupported_media_type"]],
      [post("{}", "application/jsonx"), [415, "unsupported_media_type"]],
      [post(new Uint8Array([123, 125]), ""), [415, "unsupported_media_type"]],
      [post("--x\r\n\r\n--x--", "multipart/form-data; boundary=x"), [
        415,
        "unsupported_media_type",
      ]],
    ];
  for (const [answering, expected] of cases) {
    const response = await answering;
    assert.equal(
      response.headers.get("content-type"),
      "application/problem+json",
    );
    const { code } = await response.json();
    assert.deepEqual([response.status, code], expected);
  }
  await assertServes(grid);
});
