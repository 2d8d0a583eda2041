import assert from "node:assert/strict";
import { createApiClient } from "../support/api.ts";
import { testGrid } from "../support/grid.ts";
import { systemClock } from "../../src/async/clock.ts";

/** Returns JSON with `count` members as the value of `name`. */
function createMembers(name: string, count: number): string {
  const members = Array.from({ length: count }, (_, at) => `"${at}":1`);
  return `{"${name}":{${members.join(",")}}}`;
}

Deno.test("a body with too many values is rejected before it is parsed, whatever they are", async () => {
  await using grid = await testGrid();
  const bodies = [
    createMembers("labels", 150_000),
    createMembers("environment", 150_000),
    createMembers("no_such_field", 10_001),
    `{"args":[${"1,".repeat(800_000)}1]}`,
    "[".repeat(1_000_000) + "]".repeat(1_000_000),
  ];
  for (const body of bodies) {
    const startedAt = systemClock.monotonic();
    const response = await grid.request("/v1/sessions", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    const { code, detail } = await response.json();
    assert.deepEqual([response.status, code], [413, "body_too_large"]);
    assert.match(detail, /too many values, expected at most 10000/);
    // Validation took up to 2 s.
    assert.ok(systemClock.monotonic() - startedAt < 1_000);
  }
});

Deno.test("text with many commas and brackets is one value", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const text = 'a,b"[{\\'.repeat(500);
  const environment = Object.fromEntries(
    Array.from({ length: 50 }, (_, at) => [`NAME_${at}`, text.slice(0, 1_000)]),
  );
  const { status } = await api.call("POST", "/sessions", { environment });
  assert.equal(status, 201);
});

Deno.test("the report of a worker may have ten times as many values", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const path = `/workerpool/workers/${await api.worker()}/heartbeat`;
  const commands = Array.from({ length: 20_000 }, () => 1);
  const { body } = await api.call("PUT", path, { no_such_field: commands });
  assert.equal(body.code, "invalid_request");
});
