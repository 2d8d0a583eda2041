/** Tests of plugins' middleware: its position among the built-in ones, and the settings that order it. */
import assert from "node:assert/strict";
import { z } from "@hono/zod-openapi";
import { defineMiddleware } from "../../src/core/middleware.ts";
import { defineProblems, GridError } from "../../src/core/errors.ts";
import { pluginApi } from "../../src/plugin/plugin.ts";
import { testGrid } from "../support/grid.ts";

const PROBLEMS = defineProblems({
  closed: { status: 503, title: "Closed", retryAfterSeconds: 9 },
});

/** Adds the caller's name as a header, or rejects every request with an error code of its own. */
const door = defineMiddleware({
  name: "door",
  optionsSchema: z.strictObject({ closed: z.boolean().default(() => false) }),
  create: ({ closed }) => async (c, next) => {
    if (closed) {
      throw new GridError(PROBLEMS.closed, "Cannot answer: closed for today");
    }
    await next();
    c.header("x-door", c.get("caller")?.name ?? "nobody");
  },
});

Deno.test("a plugin's middleware runs inside the built-in ones by default, so it knows the caller", async () => {
  await using grid = await testGrid({ middleware: [door] });
  const answer = await grid.request("/v1/workerpool/pools");
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("x-door"), "anonymous");
  await answer.body?.cancel();
});

Deno.test("the setting middleware configures a plugin's middleware like any other", async () => {
  const entry = { name: "door", options: { closed: true } };
  await using grid = await testGrid({
    middleware: [door],
    settings: { middleware: [{ name: "request_log" }, entry] },
  });
  const answer = await grid.request("/v1/workerpool/pools");
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get("retry-after"), "9");
  assert.equal((await answer.json()).code, "closed");
  await assert.rejects(
    testGrid({
      middleware: [door],
      settings: { middleware: [{ name: "door", options: { shut: true } }] },
    }),
    /Cannot use middleware "door": .*shut/,
  );
});

Deno.test("a plugin's middleware in two halves sees requests and responses", async () => {
  const halves = pluginApi.beforeAfter({
    name: "halves",
    optionsSchema: pluginApi.z.strictObject({
      word: z.string().default("seen"),
    }),
    before: (c) => c.req.header("x-stop") ? c.text("stopped", 403) : undefined,
    after: (c, { word }) => c.header("x-halves", word),
  });
  await using grid = await testGrid({ middleware: [halves] });
  const ask = async (headers: Record<string, string>) => {
    const answer = await grid.request("/v1/sessions", { headers });
    await answer.body?.cancel();
    return [answer.status, answer.headers.get("x-halves")];
  };
  assert.deepEqual(await ask({}), [200, "seen"]);
  assert.deepEqual(await ask({ "x-stop": "1" }), [403, "seen"]);
});
