import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";

/** Parses a printed table. */
function parseTable(
  out: string,
): { readonly head: readonly string[]; readonly rows: readonly string[][] } {
  return JSON.parse(out);
}

Deno.test("session list prints the newest first, and filters by status and pool", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  const api = createApiClient(grid);
  await api.pool({ default_browser: "chrome" });
  const { id: other } = await api.pool({ name: "other" });
  const { claimed } = await api.running({ work_pool_id: "pool" });
  const pending = await api.session({ work_pool_id: "other" });
  const list = async (...args: readonly string[]) => {
    const { out, err } = await cli("session", "list", ...args, ...at);
    assert.equal(err, "");
    return parseTable(out).rows.map(([id]) => id);
  };
  const { head, rows } = parseTable((await cli("session", "list", ...at)).out);
  assert.deepEqual(head, [
    ...["id", "status", "browser", "provider", "created", "reason"],
  ]);
  assert.deepEqual(
    rows.map((row) => row.slice(0, 2)),
    [[pending.id, "pending"], [claimed.id, "running"]],
  );
  assert.deepEqual(rows[1]?.slice(2, 4), ["chrome latest", "local"]);
  assert.match(rows[0]?.[4] ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.deepEqual(await list("--status", "running"), [claimed.id]);
  assert.deepEqual(await list("--status", "pending,running"), [
    pending.id,
    claimed.id,
  ]);
  assert.deepEqual(await list("--pool", other), [pending.id]);
  assert.deepEqual(await list("--limit", "1"), [pending.id]);
  const json = await cli("session", "list", "--json", ...at);
  assert.deepEqual(
    JSON.parse(json.out).map(({ id }: { id: string }) => id),
    [pending.id, claimed.id],
  );
});

Deno.test("session list leaves a status and a limit that are wrong to the server, which rejects them", async () => {
  await using grid = await testGrid({ listen: true });
  for (const args of [["--status", "asleep"], ["--limit", "many"]]) {
    const { code, err } = await cli(
      ...["session", "list", ...args, "--api-url", grid.url],
    );
    assert.equal(code, 1, err);
    assert.match(err, /^error: [^\n]+\[\w+\]$/, args.join(" "));
  }
});

Deno.test("session get, events, metrics and logs show what is recorded of a session", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running({ labels: { team: "a" } });
  const { id } = claimed;
  const before = await cli("session", "logs", id, ...at);
  assert.deepEqual([before.code, before.out], [0, ""]);
  assert.match(before.err, /^No output is stored/);
  await api.report(workerId, claimed, "running", {
    metrics: {
      cpu_percent: 12.5,
      memory_mb: 300,
      network_rx_bytes: null,
      network_tx_bytes: null,
      disk_read_bytes: null,
      disk_write_bytes: null,
    },
  });
  await api.report(workerId, claimed, "completed", { logs: "last words\n" });

  const got = await cli("session", "get", id, ...at);
  const fields = Object.fromEntries(parseTable(got.out).rows);
  assert.deepEqual(
    [fields.id, fields.status, fields.labels],
    [id, "completed", '{"team":"a"}'],
  );
  const record = JSON.parse(
    (await cli("session", "get", id, "--json", ...at)).out,
  );
  assert.equal(record.id, id);

  const events = parseTable((await cli("session", "events", id, ...at)).out);
  assert.deepEqual(events.head, ["time", "event", "data"]);
  const names = events.rows.map(([, name]) => name);
  assert.equal(names[0], "session_created");
  assert.ok(names.length >= 4, names.join(" "));
  const eventList = JSON.parse(
    (await cli("session", "events", id, "--json", ...at)).out,
  );
  assert.deepEqual(
    eventList.map(({ event }: { event: string }) => event),
    names,
  );

  const metrics = parseTable((await cli("session", "metrics", id, ...at)).out);
  assert.deepEqual(metrics.head, [
    ...["time", "cpu %", "max cpu %", "memory mb", "max memory mb"],
    ...["received bytes", "sent bytes", "read bytes", "written bytes"],
  ]);
  assert.deepEqual(metrics.rows.map((row) => row.slice(1)), [
    ["12.5", "12.5", "300", "300", "", "", "", ""],
  ]);

  const logs = await cli("session", "logs", id, ...at);
  assert.equal(logs.out, "last words");
  const asJson = await cli("session", "logs", id, "--json", ...at);
  assert.deepEqual(JSON.parse(asJson.out), { logs: "last words\n" });
});

Deno.test("session commands end with 1 for a session that does not exist", async () => {
  await using grid = await testGrid({ listen: true });
  const id = "01900000-0000-7000-8000-000000000000";
  for (const name of ["get", "events", "metrics", "logs", "refresh", "stop"]) {
    const { code, out, err } = await cli(
      ...["session", name, id, "--api-url", grid.url],
    );
    assert.deepEqual([code, out], [1, ""], name);
    assert.match(err, /^error: Cannot .*\[session_not_found\]$/, name);
  }
});
