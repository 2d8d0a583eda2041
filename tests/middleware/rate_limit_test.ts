import assert from "node:assert/strict";
import fc from "fast-check";
import { TokenBuckets } from "../../src/middleware/token_buckets.ts";
import { createFakeClock } from "../support/clock.ts";
import { testGrid } from "../support/grid.ts";
import { createTestRouter, readProblem, request } from "./chained.ts";

const TWO = { requests_per_second: 0.5, burst: 2 };

function limited(
  options: Readonly<Record<string, unknown>>,
  settings: Readonly<Record<string, unknown>> = {},
) {
  const clock = createFakeClock();
  const middleware = [{ name: "rate_limit", options }];
  const router = createTestRouter({
    clock,
    settings: { ...settings, middleware },
  });
  return { clock, router };
}

Deno.test("rate_limit is disabled by default", async () => {
  const { headers } = await request(createTestRouter(), "/v1/ok");
  assert.equal(headers.get("ratelimit"), null);
});

Deno.test("rate_limit rejects a key with an empty bucket with Retry-After, and accepts it after that time", async () => {
  const { clock, router } = limited({ per_key: TWO, per_address: null });
  const first = await request(router, "/v1/ok");
  assert.equal(first.headers.get("ratelimit-policy"), '"key";q=2;w=4');
  assert.equal(first.headers.get("ratelimit"), '"key";r=1;t=2');
  await request(router, "/v1/ok");
  const refused = await request(router, "/v1/ok");
  assert.equal(refused.headers.get("retry-after"), "2");
  assert.equal(refused.headers.get("ratelimit"), '"key";r=0;t=2');
  assert.deepEqual(await readProblem(refused), [429, "rate_limited"]);
  clock.advance(2_000);
  assert.equal((await request(router, "/v1/ok")).status, 200);
  assert.equal((await request(router, "/v1/ok")).status, 429);
});

Deno.test("rate_limit counts keys also when it is listed before the key check", async () => {
  const options = { per_key: TWO, per_address: null };
  const middleware = [{ name: "rate_limit", options }, { name: "api_key" }];
  const router = createTestRouter({ settings: { middleware } });
  const { headers } = await request(router, "/v1/ok");
  assert.equal(headers.get("ratelimit"), '"key";r=1;t=2');
});

Deno.test("rate_limit reports the remaining quota in every response, also in problems", async () => {
  const { router } = limited({});
  const headers = { "content-type": "application/json" };
  const answers = [
    await request(router, "/v1/nothing"),
    await request(router, "/v1/things", {
      method: "POST",
      body: "{}",
      headers,
    }),
    await request(router, "/v1/broken"),
  ];
  for (const { headers, status } of answers) {
    assert.match(
      headers.get("ratelimit") ?? "",
      /^"key";r=\d+;t=1, "address";r=\d+;t=1$/,
      String(status),
    );
  }
});

Deno.test("rate_limit counts requests of an address whose key is rejected, which limits guessing", async () => {
  const { router } = limited({ per_address: TWO });
  const guess = (path: string, address: string) =>
    request(router, path, { address, headers: { "x-api-key": "guess" } });
  for (const path of ["/v1/ok", "/v1/workerpool/workers/1/heartbeat"]) {
    const address = path.length > 10 ? "192.0.2.7" : "192.0.2.8";
    const statuses = [];
    for (let count = 0; count < 4; count++) {
      statuses.push((await guess(path, address)).status);
    }
    assert.deepEqual(statuses, [401, 401, 429, 429], path);
  }
  assert.equal((await guess("/v1/ok", "192.0.2.9")).status, 401);
});

Deno.test("rate_limit accepts heartbeats when the quota of the key and the address is used up", async () => {
  const { router } = limited({ per_key: TWO, per_address: TWO });
  for (let count = 0; count < 3; count++) await request(router, "/v1/ok");
  assert.equal((await request(router, "/v1/ok")).status, 429);
  for (let count = 0; count < 10; count++) {
    const beat = await request(router, "/v1/workerpool/workers/1/heartbeat", {
      method: "PUT",
    });
    assert.equal(beat.status, 200);
  }
});

Deno.test("the real endpoints of workers are exempt", async () => {
  const key = "key-0123456789";
  const options = { per_address: { ...TWO, burst: 1 } };
  const middleware = [{ name: "rate_limit", options }];
  await using grid = await testGrid({
    listen: true,
    settings: { api_key: key, middleware },
  });
  const call = async (method: string, path: string) => {
    const response = await fetch(`${grid.url}/v1/workerpool/workers/${path}`, {
      method,
      ...(method === "GET" ? {} : { body: "{}" }),
      headers: { "content-type": "application/json", "x-api-key": key },
    });
    return (await readProblem(response))[1];
  };
  await call("POST", "");
  assert.equal(await call("POST", ""), "rate_limited");
  for (
    const [method, path] of [
      ["PUT", "none/heartbeat"],
      ["POST", "none/claim-session"],
      ["GET", "none/tunnel"],
      ["GET", "none/tunnel/stream"],
    ] as const
  ) {
    const code = await call(method, path);
    assert.ok(
      code !== "not_found" && code !== "rate_limited",
      `${path} ${code}`,
    );
  }
});

Deno.test("rate_limit exempts no path that only resembles an exempt one", async () => {
  const { router } = limited({ per_key: TWO, per_address: null });
  const paths = [
    "/v1/sessions/heartbeat",
    "/v1/health",
    "/v1/workerpool/workers/1/2/heartbeat",
    "/v1/workerpool/workers/1/heartbeat/x",
  ];
  for (const path of paths) await request(router, path);
  assert.equal((await request(router, "/v1/ok")).status, 429);
});

Deno.test("rate_limit counts addresses without api_key, too", async () => {
  const clock = createFakeClock();
  const middleware = [
    { name: "api_key", enabled: false },
    { name: "rate_limit", options: { per_address: TWO } },
  ];
  const router = createTestRouter({ clock, settings: { middleware } });
  const statuses = [];
  for (let count = 0; count < 3; count++) {
    statuses.push((await request(router, "/v1/ok")).status);
  }
  assert.deepEqual(statuses, [200, 200, 429]);
});

Deno.test("rate_limit trusts addresses only from trusted proxies", async () => {
  const { router } = limited({ per_address: TWO, per_key: null }, {
    trusted_proxies: ["10.0.0.0/8"],
  });
  const from = async (address: string, forwarded: string) => {
    const headers = { "x-forwarded-for": forwarded };
    return (await request(router, "/v1/ok", { address, headers })).status;
  };
  for (let count = 0; count < 3; count++) await from("10.0.0.1", "192.0.2.1");
  assert.equal(await from("10.0.0.1", "192.0.2.1"), 429);
  assert.equal(await from("10.0.0.1", "1.1.1.1, 192.0.2.1"), 429);
  assert.equal(await from("10.0.0.1", "192.0.2.2"), 200);
  for (let count = 0; count < 3; count++) {
    await from("192.0.2.3", `10.9.9.${count}`);
  }
  assert.equal(await from("192.0.2.3", "10.9.9.9"), 429);
});

Deno.test("rate_limit counts an IPv6 client by its /64 network", async () => {
  const { router } = limited({ per_address: TWO });
  const from = async (address: string) =>
    (await request(router, "/v1/ok", { address })).status;
  assert.equal(await from("2001:db8::1"), 200);
  assert.equal(await from("2001:db8::2"), 200);
  assert.equal(await from("2001:db8::3"), 429);
  assert.equal(await from("2001:db8:0:1::3"), 200);
});

Deno.test("rate_limit does not count all callers without a key as one", async () => {
  const { router } = limited({ per_key: TWO, per_address: null }, {
    api_key: undefined,
  });
  for (let count = 0; count < 5; count++) {
    const open = await request(router, "/health", {
      headers: { "x-api-key": "" },
    });
    assert.equal(open.status, 200);
  }
});

Deno.test("a bucket never allows more than its burst and the tokens added since", () => {
  const steps = fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1 });
  fc.assert(fc.property(steps, (waits) => {
    const buckets = new TokenBuckets({ requests_per_second: 2, burst: 3 }, 10);
    let now = 0;
    let given = 0;
    for (const wait of waits) {
      now += wait;
      const level = buckets.take("a", now);
      if (level.isAllowed) given++;
      else {
        const later = now + level.nextSeconds * 1_000;
        assert.ok(buckets.peek("a", later).isAllowed);
      }
    }
    assert.ok(given <= 3 + now / 1_000 * 2);
  }));
});

Deno.test("the least recently used buckets are dropped beyond the limit", () => {
  const buckets = new TokenBuckets({ requests_per_second: 1, burst: 1 }, 2);
  for (const key of ["a", "b", "a", "c"]) buckets.take(key, 0);
  assert.equal(buckets.size, 2);
  assert.ok(!buckets.take("a", 0).isAllowed);
  assert.ok(buckets.take("b", 0).isAllowed);
});
