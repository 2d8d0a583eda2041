import { poolProblems } from "../../src/apps/workerpool/problems.ts";
import assert from "node:assert/strict";
import { z } from "@hono/zod-openapi";
import { GridError } from "../../src/core/errors.ts";
import { apiKey } from "../../src/middleware/api_key.ts";
import { beforeAfter, type Middleware } from "../../src/core/middleware.ts";
import { MIDDLEWARE } from "../../src/installed.ts";
import { createTestRouter, request } from "../middleware/chained.ts";

/** A middleware that records its calls in `log`. */
function noting(name: string, log: string[]): Middleware {
  return beforeAfter({
    name,
    optionsSchema: z.strictObject({ word: z.string().default("") }),
    before: (_c, { word }) => void log.push(`> ${name}${word}`),
    after: (c) => void log.push(`< ${name} ${c.res.status}`),
  });
}

function three(log: string[]): readonly Middleware[] {
  return ["a", "b", "c"].map((name) => noting(name, log));
}

Deno.test("requests pass the middleware in order, and responses in reverse order", async () => {
  const log: string[] = [];
  await request(createTestRouter({ known: three(log) }), "/v1/ok");
  assert.deepEqual(log, ["> a", "> b", "> c", "< c 200", "< b 200", "< a 200"]);
});

Deno.test("the setting orders, configures and disables middleware; middleware that it does not name keeps its place", async () => {
  const log: string[] = [];
  const enter = async (middleware: readonly unknown[]) => {
    log.length = 0;
    await request(
      createTestRouter({ known: three(log), settings: { middleware } }),
      "/v1/ok",
    );
    return log.filter((line) => line.startsWith(">")).join(" ");
  };
  assert.equal(
    await enter([{ name: "c" }, { name: "b" }, { name: "a" }]),
    "> c > b > a",
  );
  assert.equal(await enter([{ name: "c" }, { name: "a" }]), "> c > b > a");
  assert.equal(
    await enter([{ name: "b", options: { word: "!" } }]),
    "> a > b! > c",
  );
  assert.equal(await enter([{ name: "b", enabled: false }]), "> a > c");
});

Deno.test("a middleware that is registered by code runs after the built-in ones, and knows the caller", async () => {
  const seen: unknown[] = [];
  const own = beforeAfter({
    name: "own",
    optionsSchema: z.strictObject({}),
    before: (c) =>
      void seen.push(c.get("caller").id, typeof c.get("requestId")),
    after: (c) => c.res.headers.set("x-own", "yes"),
  });
  const response = await request(
    createTestRouter({ known: [...MIDDLEWARE, own] }),
    "/v1/ok",
  );
  assert.deepEqual(seen, ["bootstrap", "string"]);
  assert.equal(response.headers.get("x-own"), "yes");
});

Deno.test("before() ends the request with a response or an error, and after() of outer middleware sees the response", async () => {
  for (const how of ["answer", "refuse"] as const) {
    const log: string[] = [];
    const stopping = beforeAfter({
      name: "stopping",
      optionsSchema: z.strictObject({}),
      before() {
        if (how === "answer") return new Response("stop", { status: 418 });
        throw new GridError(poolProblems.queue_full, "Cannot queue");
      },
      after: (c) => void log.push(`< stopping ${c.res.status}`),
    });
    const [a, b] = three(log);
    assert.ok(a && b);
    await request(createTestRouter({ known: [a, stopping, b] }), "/v1/ok");
    assert.deepEqual(
      log,
      how === "answer"
        ? ["> a", "< stopping 418", "< a 418"]
        : ["> a", "< a 429"],
    );
  }
});

Deno.test("after() runs with the error response if a later step fails, with any thrown value", async () => {
  for (const path of ["/v1/broken", "/v1/not-an-error"]) {
    const log: string[] = [];
    const response = await request(
      createTestRouter({ known: three(log) }),
      path,
    );
    assert.deepEqual(log.slice(3), ["< c 500", "< b 500", "< a 500"], path);
    assert.equal((await response.json()).code, "internal");
  }
});

Deno.test("an error of after() becomes the response, without headers of the previous body", async () => {
  const failing = beforeAfter({
    name: "failing",
    optionsSchema: z.strictObject({}),
    after: () => {
      throw new Error("after");
    },
  });
  const compress = MIDDLEWARE.filter(({ name }) => name === "compress");
  const router = createTestRouter({ known: [failing, ...compress] });
  const headers = { "accept-encoding": "gzip" };
  const response = await request(router, "/v1/large", { headers });
  assert.equal(response.status, 500);
  assert.equal(response.headers.get("content-encoding"), null);
  assert.equal((await response.json()).code, "internal");
});

Deno.test("headers that were set before an error are kept", async () => {
  const response = await request(createTestRouter(), "/v1/broken");
  assert.equal(response.headers.get("x-set-before"), "kept");
  assert.equal(
    response.headers.get("content-type"),
    "application/problem+json",
  );
});

Deno.test("headers can be set on a fetched response", async () => {
  const fetching = beforeAfter({
    name: "fetching",
    optionsSchema: z.strictObject({}),
    before: ({ req }) =>
      req.path === "/ahead" ? fetch("data:text/plain,elsewhere") : undefined,
  });
  const router = createTestRouter({ known: [...MIDDLEWARE, fetching] });
  for (const path of ["/v1/fetched", "/ahead"]) {
    const response = await request(router, path);
    assert.equal(response.status, 200, path);
    assert.equal(await response.text(), "elsewhere");
    assert.ok(response.headers.get("x-request-id"));
  }
});

Deno.test("an unknown name, an invalid option or a repetition in the setting fails the start and lists the known names", () => {
  const cases = [
    [
      { name: "corss" },
      /"corss": it is unknown, did you mean "cors"\? Known are request_log, /,
    ],
    [
      { name: "body_limit", options: { max_byte: 1 } },
      /"body_limit": option "max_byte" is unknown, did you mean "max_bytes"\? Known are max_bytes$/,
    ],
    [
      { name: "rate_limit", options: { per_key: { bursts: 1 } } },
      /option "per_key.bursts" is unknown, did you mean "burst"\? Known are requests_per_second, burst$/,
    ],
    [
      { name: "body_limit", options: { max_bytes: "much" } },
      /"body_limit": option max_bytes: .*expected number/,
    ],
    [
      { name: "cors", options: { origins: ["*"], credentials: true } },
      /"cors": credentials are allowed to all origins/,
    ],
  ] as const;
  for (const [entry, message] of cases) {
    assert.throws(
      () => createTestRouter({ settings: { middleware: [entry] } }),
      { name: "SettingsError", message },
    );
  }
  assert.throws(
    () =>
      createTestRouter({
        settings: { middleware: [{ name: "cors" }, { name: "cors" }] },
      }),
    { name: "SettingsError", message: /"cors": it is listed twice/ },
  );
});

Deno.test("api_key rejects open paths of the API, where requests would have the rights of an admin", () => {
  const { optionsSchema } = apiKey;
  for (const path of ["/v1/keys", "/v1", "//v2/sessions", "/V1/x"]) {
    assert.ok(!optionsSchema.safeParse({ open_paths: [path] }).success, path);
  }
  assert.ok(optionsSchema.safeParse({ open_paths: ["/health"] }).success);
});

Deno.test("beforeAuth sees requests whose key is rejected, and the handler runs after the key check, wherever the middleware is listed", async () => {
  for (const hookName of ["beforeAuth", "guard"] as const) {
    const log: string[] = [];
    const note = (text: string) => async (_c: unknown, next: () => unknown) => {
      log.push(text);
      await next();
    };
    const hooked: Middleware = {
      name: "hooked",
      optionsSchema: z.strictObject({}),
      create: () => note("handler"),
      [hookName]: () => note("hook"),
    };
    const [a, b] = three(log);
    assert.ok(a && b);
    for (
      const known of [[hooked, a, apiKey, b], [a, apiKey, hooked, b]]
    ) {
      log.length = 0;
      const router = createTestRouter({ known });
      const headers = { "x-api-key": "wrong" };
      assert.equal((await request(router, "/v1/ok", { headers })).status, 401);
      assert.deepEqual(log.filter((line) => !line.includes("<")).toSorted(), [
        "> a",
        "hook",
      ]);
      log.length = 0;
      await request(router, "/v1/ok");
      const inward = log.filter((line) => !line.includes("<"));
      assert.deepEqual(inward.slice(0, 2).toSorted(), ["> a", "hook"]);
      assert.deepEqual(inward.slice(2), ["handler", "> b"]);
    }
  }
});
