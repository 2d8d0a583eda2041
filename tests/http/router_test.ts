import assert from "node:assert/strict";
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { KeyAuth } from "../../src/http/auth/auth.ts";
import { systemClock } from "../../src/async/clock.ts";
import { GridError } from "../../src/core/errors.ts";
import type { GridEnv } from "../../src/core/middleware.ts";
import { apiKey } from "../../src/middleware/api_key.ts";
import { bodyLimit } from "../../src/middleware/body_limit.ts";
import { requestLog } from "../../src/middleware/request_log.ts";
import { buildRouter, createRouter } from "../../src/http/router.ts";
import { loadSettings } from "../../src/core/settings.ts";
import { logRecords } from "../support/log_records.ts";

const KEY = "k-0123456789";

const route = createRoute({
  method: "post",
  path: "/things",
  request: {
    body: {
      required: true,
      content: {
        "application/json": { schema: z.strictObject({ size: z.int() }) },
      },
    },
  },
  responses: { 204: { description: "Done" } },
});

function router(): OpenAPIHono<GridEnv> {
  const { settings } = loadSettings({
    defaults: { data_dir: "/data" },
    env: {},
    flags: {},
  });
  const core = { settings, auth: new KeyAuth(KEY), clock: systemClock };
  const v1 = createRouter();
  v1.openapi(route, (c) => c.body(null, 204));
  v1.get("/secret-failure", () => {
    throw new Error("password is hunter2");
  });
  v1.get("/busy", () => {
    throw new GridError("database_busy", "Cannot write");
  });
  return buildRouter({
    version: "1.2.3",
    middleware: [
      requestLog.create({ header: "X-Request-Id", quiet: [] }, core),
      bodyLimit.create({ max_bytes: 1_024 }, core),
      apiKey.create({ open_paths: ["/health"] }, core),
    ],
    apps: [{ manager: {}, routes: { v1 } }],
    checkReady: () => Promise.reject(new GridError("database_busy", "No")),
  });
}

function post(body: string, headers: Record<string, string> = {}) {
  return router().request("/v1/things", {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      "x-api-key": KEY,
      ...headers,
    },
  });
}

async function readCode(response: Response): Promise<unknown> {
  assert.equal(
    response.headers.get("content-type"),
    "application/problem+json",
  );
  return (await response.json()).code;
}

Deno.test("buildRouter() serves an app's routes under their version", async () => {
  assert.equal((await post('{"size": 1}')).status, 204);
});

Deno.test("buildRouter() rejects an invalid body and names every path", async () => {
  const response = await post('{"size": "big", "colour": 1}');
  assert.equal(response.status, 422);
  const problem = await response.json();
  assert.equal(problem.code, "invalid_request");
  assert.match(problem.detail, /size.*colour|colour.*size/s);
});

Deno.test("buildRouter() rejects a body that is not JSON", async () => {
  const response = await post("{");
  assert.equal(response.status, 400);
  assert.equal(await readCode(response), "malformed_json");
});

Deno.test("buildRouter() responds to an unknown path with a problem", async () => {
  const response = await router().request("/v1/nothing", {
    headers: { "x-api-key": KEY },
  });
  assert.equal(response.status, 404);
  assert.equal(await readCode(response), "not_found");
});

Deno.test("buildRouter() responds to a foreign error with internal; only the log contains its message, with the same id", async () => {
  await using logged = await logRecords();
  const response = await router().request("/v1/secret-failure", {
    headers: { "x-api-key": KEY },
  });
  const text = await response.text();
  assert.equal(response.status, 500);
  assert.match(text, /"code":"internal"/);
  assert.doesNotMatch(text, /hunter2/);
  const id = response.headers.get("x-request-id");
  const said = logged.records.map(({ message }) => message.join(""));
  assert.ok(said.some((each) => each.startsWith(`Request ${id} failed: `)));
});

Deno.test("buildRouter() adds Retry-After to temporary problems", async () => {
  const response = await router().request("/v1/busy", {
    headers: { "x-api-key": KEY },
  });
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("retry-after"), "1");
});

Deno.test("/ready fails while the database is unavailable; /health does not query it", async () => {
  const headers = { "x-api-key": KEY };
  assert.equal((await router().request("/ready", { headers })).status, 503);
  assert.equal((await router().request("/health")).status, 200);
});

Deno.test("apiKey rejects a missing and a wrong key, and accepts X-API-Key, Bearer and token", async () => {
  const ask = (path: string, headers: Record<string, string> = {}) =>
    router().request(path, { headers });
  assert.equal(await readCode(await ask("/v1/busy")), "unauthorized");
  const wrong = await ask("/v1/busy", { "x-api-key": "wrong" });
  assert.equal(wrong.status, 401);
  assert.doesNotMatch(await wrong.text(), /k-0123456789/);
  for (
    const [path, headers] of [
      ["/v1/busy", { "x-api-key": KEY }],
      ["/v1/busy", { authorization: `Bearer ${KEY}` }],
      [`/v1/busy?token=${KEY}`, {}],
    ] as const
  ) {
    assert.equal((await ask(path, headers)).status, 503, path);
  }
});

Deno.test("requestLog keeps the id of a request and replaces one that is not safe to log", async () => {
  const kept = await post('{"size": 1}', { "x-request-id": "abc-1" });
  assert.equal(kept.headers.get("x-request-id"), "abc-1");
  const replaced = await post('{"size": 1}', { "x-request-id": "a b\tc" });
  assert.match(replaced.headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
});

Deno.test("bodyLimit rejects a body that is too large", async () => {
  const response = await post(`{"size": 1${" ".repeat(2_000)}}`);
  assert.equal(response.status, 413);
  assert.equal(await readCode(response), "body_too_large");
});

Deno.test("buildRouter() rejects a body without the content type of JSON", async () => {
  for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
    const response = await post('{"size": 1}', { "content-type": type });
    assert.equal(response.status, 415, type);
    assert.equal(await readCode(response), "unsupported_media_type");
  }
});

Deno.test("buildRouter() rejects a request without a required body", async () => {
  const response = await router().request("/v1/things", {
    method: "POST",
    headers: { "x-api-key": KEY },
  });
  assert.equal(response.status, 422);
  assert.equal(await readCode(response), "invalid_request");
});

Deno.test("buildRouter() responds to another method of a known path with 405 and the allowed methods", async () => {
  const headers = { "x-api-key": KEY };
  for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
    const response = await router().request("/v1/things", { method, headers });
    assert.equal(response.status, 405, method);
    assert.equal(response.headers.get("allow"), "POST, OPTIONS");
    if (method !== "HEAD") {
      assert.equal(await readCode(response), "method_not_allowed");
    }
  }
  const asked = await router().request("/v1/busy", {
    method: "OPTIONS",
    headers,
  });
  assert.equal(asked.status, 204);
  assert.equal(asked.headers.get("allow"), "GET, HEAD, OPTIONS");
  const nothing = { method: "OPTIONS", headers };
  assert.equal((await router().request("/nothing", nothing)).status, 404);
});
