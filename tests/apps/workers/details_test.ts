import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";

const WORKERS = "/workerpool/workers";

/** Returns an object that is nested `levels` deep. */
function nested(levels: number): Record<string, unknown> {
  let value: Record<string, unknown> = { os: "linux" };
  for (let level = 1; level < levels; level++) value = { a: value };
  return value;
}

Deno.test("provider_details that are too deep or too long are rejected in registrations and heartbeats, and sessions are accepted as before", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const given = { work_pool_id: "pool", name: "one" };
  const { body, status } = await api.call("POST", WORKERS, {
    ...given,
    provider_details: nested(32),
  });
  assert.equal(status, 201);
  const heartbeat = `${WORKERS}/${body.worker.id}/heartbeat`;
  const wrong = [
    [nested(33), /provider_details: expected at most 32 levels/],
    // Deeper than SQLite reads, and than can be serialised without a stack overflow.
    [nested(2_000), /provider_details: expected at most 32 levels/],
    [
      { a: "a".repeat(16_384) },
      /provider_details: expected at most 16384 char/,
    ],
  ] as const;
  for (const [provider_details, expected] of wrong) {
    const rejected = [
      await api.call("POST", WORKERS, { ...given, provider_details }),
      await api.call("PUT", heartbeat, { provider_details }),
    ];
    for (const { status, body } of rejected) {
      assert.deepEqual([status, body.code], [422, "invalid_request"]);
      assert.match(body.detail, expected);
    }
  }
  assert.equal((await api.call("POST", "/sessions", {})).status, 201);
  assert.equal((await api.call("GET", WORKERS)).status, 200);
});

Deno.test("a body that is nested as deep as its number of values or its size allows is rejected without an internal error", async () => {
  await using grid = await testGrid();
  await createApiClient(grid).pool();
  for (
    const [depth, expected] of [
      [9_000, [422, "invalid_request"]],
      [300_000, [413, "body_too_large"]],
    ] as const
  ) {
    const deep = '{"a":'.repeat(depth) + "1" + "}".repeat(depth);
    for (
      const [path, text] of [
        [
          "/workerpool/workers",
          `{"work_pool_id":"pool","provider_details":${deep}}`,
        ],
        [
          "/workerpool/pools",
          `{"name":"p","provider_type":"local","provider_config":${deep}}`,
        ],
        ["/sessions", `{"labels":${deep}}`],
      ] as const
    ) {
      const response = await grid.router.request(`/v1${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: text,
      });
      const { code } = await response.json();
      assert.deepEqual([response.status, code], expected, path);
    }
  }
});
