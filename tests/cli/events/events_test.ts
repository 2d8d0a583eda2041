import assert from "node:assert/strict";
import { record } from "../../apps/events/scene.ts";
import { createApiClient } from "../../support/api.ts";
import { cli } from "../../support/cli.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";

/** Runs `browsergrid events` and returns its rows. */
async function list(
  { url }: TestGrid,
  ...args: readonly string[]
): Promise<readonly (readonly string[])[]> {
  const { code, out, err } = await cli("events", ...args, "--api-url", url);
  assert.equal(code, 0, err);
  const { head, rows } = JSON.parse(out);
  assert.deepEqual(head, ["time", "type", "id", "data"]);
  return rows;
}

Deno.test("events prints the last ones oldest first, with the id of what they happened to", async () => {
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  const pool = (await api.pool()).id;
  const worker = await api.worker();
  const { id } = await api.session({ labels: { team: "a" } });
  const last = await list(grid, "--limit", "2");
  assert.deepEqual(last.map(([, type, subject]) => [type, subject]), [
    ["session.created", id],
    ["session.assigned", id],
  ]);
  assert.match(last[0]?.[0] ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const ids = async (...args: readonly string[]) =>
    (await list(grid, ...args)).map(([, , subject]) => subject);
  assert.deepEqual(await ids("--type", "pool.*,worker.online"), [
    pool,
    ...(await ids("--type", "worker.online")),
  ]);
  assert.deepEqual(await ids("--label", "team=a"), [id, id]);
  assert.deepEqual(await ids("--session", id), [id, id]);
  assert.ok((await ids("--worker", worker)).every((each) => each === worker));
  assert.deepEqual(await ids("--pool", "pool"), await ids("--pool", pool));
  assert.deepEqual(await ids("--since", "1h"), await ids());
  assert.deepEqual(await list(grid, "--since", "2099-01-01"), []);
});

Deno.test("events reads as many pages as its limit needs, and prints JSON", async () => {
  await using grid = await testGrid({ listen: true });
  await record(grid, {}, 3);
  await record(grid, { type: "session.failed" }, 1);
  await record(grid, {}, 5_100);
  const failed = await list(grid, "--type", "session.*");
  assert.deepEqual(failed.map(([, type]) => type), ["session.failed"]);
  const { out } = await cli(
    ...["events", "--limit", "1500", "--json", "--api-url", grid.url],
  );
  const events = JSON.parse(out);
  assert.equal(events.length, 1_500);
  assert.ok(events[0].sequence < events[1].sequence);
});

Deno.test("events rejects wrong values, and says what it expects", async () => {
  await using grid = await testGrid({ listen: true });
  for (
    const [args, code, message] of [
      [
        ["--limit", "many"],
        2,
        /--limit "many": expected a whole number from 0/,
      ],
      [["--limit", "10001"], 2, /expected a whole number from 0 to 10000/],
      [["--since", "soon"], 2, /--since "soon": expected a time such as 2h/],
      [["--type", "sesion.failed"], 1, /such as "session.failed"/],
      [["--label", "team"], 1, /expected NAME=VALUE/],
      [["--pool", "none"], 1, /\[pool_not_found\]/],
      [["--follow", "--type", "x"], 1, /\[invalid_request\]/],
    ] as const
  ) {
    const result = await cli("events", ...args, "--api-url", grid.url);
    assert.equal(result.code, code, result.err);
    assert.match(result.err, message);
  }
});
