import assert from "node:assert/strict";
import { apiOf } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";

Deno.test("requests cost as few round trips to the database as is promised", async () => {
  await using grid = await testGrid();
  const api = apiOf(grid);
  await api.pool();
  const worker = await api.worker();
  const trips = async <T>(act: () => Promise<T>): Promise<[number, T]> => {
    const before = grid.core.db.trips();
    const result = await act();
    return [grid.core.db.trips() - before, result];
  };
  const [create, { id }] = await trips(() => api.session());
  assert.equal(create, 2);
  const [claim, claimed] = await trips(() => api.claim(worker));
  assert.ok(claimed);
  assert.equal(claim, 1);
  const [heartbeat] = await trips(() => api.report(worker, claimed, "running"));
  assert.equal(heartbeat, 1);
  const fencing_token = claimed.fencing_token;
  const single: [string, string, unknown?][] = [
    ["GET", `/sessions/${id}`],
    ["GET", `/sessions/${id}?include=events,metrics`],
    ["GET", "/sessions"],
    ["GET", `/sessions/${id}/events`],
    ["GET", `/sessions/${id}/metrics`],
    ["GET", `/sessions/${id}/logs`],
    ["POST", `/sessions/${id}/events`, {
      fencing_token,
      event: "session_idle",
    }],
    ["POST", `/sessions/${id}/metrics`, { fencing_token }],
    ["POST", `/sessions/${id}/refresh`],
    ["DELETE", `/sessions/${id}`],
    ["GET", "/workerpool/pools"],
    ["GET", "/workerpool/pools/pool"],
    ["GET", "/workerpool/pools/pool/pressure"],
    ["GET", "/workerpool/workers"],
    ["GET", `/workerpool/workers/${worker}`],
    ["POST", `/workerpool/workers/${worker}/drain`],
  ];
  for (const [method, path, json] of single) {
    const [count, { status, text }] = await trips(() =>
      api.call(method, path, json)
    );
    assert.ok(status < 300, `${method} ${path}: ${text}`);
    assert.equal(count, 1, `${method} ${path}`);
  }
});
