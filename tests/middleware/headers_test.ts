import assert from "node:assert/strict";
import { createTestRouter, request } from "./chained.ts";

const ORIGIN = "https://app.example";
const ALLOWED = { settings: { allowed_origins: [ORIGIN] } };

Deno.test("cors responds to a preflight request without a key, with the methods and headers that a page may send", async () => {
  const response = await request(createTestRouter(ALLOWED), "/v1/things", {
    method: "OPTIONS",
    headers: {
      "x-api-key": "",
      origin: ORIGIN,
      "access-control-request-method": "POST",
      "access-control-request-headers": "x-api-key",
    },
  });
  assert.equal(response.status, 204);
  const { headers } = response;
  assert.equal(headers.get("access-control-allow-origin"), ORIGIN);
  assert.match(
    headers.get("access-control-allow-methods") ?? "",
    /POST.*DELETE/,
  );
  assert.equal(headers.get("access-control-max-age"), "600");
  const sendable = headers.get("access-control-allow-headers")?.toLowerCase();
  for (
    const name of [
      "x-api-key",
      "authorization",
      "content-type",
      "idempotency-key",
      "x-request-id",
    ]
  ) {
    assert.ok(sendable?.includes(name), name);
  }
  assert.ok(headers.get("x-request-id"));
});

Deno.test("every problem has the CORS, security and request-id headers, so that a page can read it", async () => {
  const router = createTestRouter(ALLOWED);
  const headers = { origin: ORIGIN };
  const invalid = {
    method: "POST",
    body: '{"size": "x"}',
    headers: { ...headers, "content-type": "application/json" },
  };
  const answers = {
    401: await request(router, "/v1/ok", {
      headers: { ...headers, "x-api-key": "no" },
    }),
    404: await request(router, "/v1/nothing", { headers }),
    415: await request(router, "/v1/things", {
      method: "POST",
      body: "x",
      headers,
    }),
    422: await request(router, "/v1/things", invalid),
    429: await request(router, "/v1/full", { headers }),
    500: await request(router, "/v1/broken", { headers }),
  };
  for (const [status, response] of Object.entries(answers)) {
    assert.equal(response.status, Number(status));
    assert.equal(
      response.headers.get("content-type"),
      "application/problem+json",
    );
    assert.equal(
      response.headers.get("access-control-allow-origin"),
      ORIGIN,
      status,
    );
    assert.match(
      response.headers.get("access-control-expose-headers") ?? "",
      /Retry-After/,
    );
    assert.equal(
      response.headers.get("x-content-type-options"),
      "nosniff",
      status,
    );
    assert.equal(response.headers.get("cache-control"), "no-store", status);
    const { request_id } = await response.json();
    assert.equal(response.headers.get("x-request-id"), request_id, status);
  }
});

Deno.test("cors adds nothing for another origin except Vary for caches", async () => {
  const other = await request(createTestRouter(ALLOWED), "/v1/ok", {
    headers: { origin: "https://evil.example" },
  });
  assert.equal(other.headers.get("access-control-allow-origin"), null);
  assert.match(other.headers.get("vary") ?? "", /Origin/);
});

Deno.test("cors without allowed origins adds nothing, and OPTIONS is an ordinary request", async () => {
  const response = await request(createTestRouter(), "/v1/ok", {
    headers: { origin: ORIGIN },
  });
  assert.deepEqual(
    [...response.headers.keys()].filter((name) => name.startsWith("access-")),
    [],
  );
  assert.doesNotMatch(response.headers.get("vary") ?? "", /Origin/);
  const options = await request(createTestRouter(), "/v1/ok", {
    method: "OPTIONS",
    headers: { origin: ORIGIN, "access-control-request-method": "GET" },
  });
  assert.equal(options.status, 204);
  assert.equal(options.headers.get("allow"), "GET, HEAD, OPTIONS");
});

Deno.test("cors accepts all origins with the origin *", async () => {
  const response = await request(
    createTestRouter({ settings: { allowed_origins: ["*"] } }),
    "/v1/ok",
    { headers: { origin: "https://any.example" } },
  );
  assert.equal(response.headers.get("access-control-allow-origin"), "*");
});

Deno.test("security_headers forbid resources and scripts, and keep headers that a route sets", async () => {
  const plain = (await request(createTestRouter(), "/v1/ok")).headers;
  assert.equal(
    plain.get("content-security-policy"),
    "default-src 'none'; frame-ancestors 'none'",
  );
  assert.equal(plain.get("x-frame-options"), "DENY");
  assert.equal(plain.get("referrer-policy"), "no-referrer");
  assert.equal(plain.get("cache-control"), "no-store");
  assert.equal(plain.get("strict-transport-security"), null);
  const own = (await request(createTestRouter(), "/v1/own")).headers;
  assert.equal(own.get("content-security-policy"), "default-src 'self'");
  assert.equal(own.get("cache-control"), "max-age=60");
  const health = (await request(createTestRouter(), "/health")).headers;
  assert.equal(health.get("cache-control"), null);
});

Deno.test("security_headers require https only if public_url is https", async () => {
  const router = createTestRouter({
    settings: { public_url: "https://grid.example" },
  });
  const { headers } = await request(router, "/v1/ok");
  assert.match(headers.get("strict-transport-security") ?? "", /^max-age=\d+$/);
});
