import assert from "node:assert/strict";
import fc from "fast-check";
import { browserEventsSchema } from "../../../src/apps/webhooks/schemas/browser_events.ts";
import { boundParams } from "../../../src/worker/observer/bounded_params.ts";

const paramsSchema = browserEventsSchema.shape.events.unwrap().element.shape
  .params;

Deno.test("short parameters are sent unchanged", () => {
  const params = { a: [1, { b: "text" }], c: null, d: false };
  assert.deepEqual(boundParams(params), { params, truncated: false });
});

Deno.test("long parameters keep their beginnings and say that parts are missing", () => {
  const long = { headers: { a: "x".repeat(20_000) }, status: 500 };
  const { params, truncated } = boundParams(long);
  assert.ok(truncated);
  assert.equal(params["status"], 500);
  assert.deepEqual(params["headers"], { a: "x".repeat(1_000) });
  const wide = { list: Array(5_000).fill("entry") };
  const bounded = boundParams(wide);
  assert.deepEqual(bounded.params, { list: Array(50).fill("entry") });
  assert.ok(bounded.truncated);
});

Deno.test("the server accepts whatever the parameters were", () => {
  const nested: unknown = JSON.parse(`${"[".repeat(500)}${"]".repeat(500)}`);
  const given = fc.dictionary(
    fc.string({ unit: "binary" }),
    fc.oneof(
      fc.jsonValue({ maxDepth: 40 }),
      fc.string({ unit: "binary", minLength: 0, maxLength: 30_000 }),
      fc.constant("\ud800\0"),
      fc.constant(nested),
      fc.array(fc.string(), { maxLength: 4_000 }),
    ),
  );
  fc.assert(fc.property(given, (params) => {
    assert.ok(paramsSchema.safeParse(boundParams(params).params).success);
  }));
});
