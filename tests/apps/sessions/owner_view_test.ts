import assert from "node:assert/strict";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";

Deno.test("GET sessions filters, and lists every session once, newest first", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const ids: string[] = [];
  for (let at = 0; at < 5; at++) {
    ids.unshift((await api.session({ labels: { n: String(at) } })).id);
  }
  const seen: string[] = [];
  let query = "?limit=2";
  for (;;) {
    const { body } = await api.call("GET", `/sessions${query}`);
    seen.push(...body.items.map(({ id }: { id: string }) => id));
    if (!body.next_cursor) break;
    query = `?limit=2&cursor=${body.next_cursor}`;
  }
  assert.deepEqual(seen, ids);
  const only = async (filter: string) =>
    (await api.call("GET", `/sessions?${filter}`)).body.items.map((
      { id }: { id: string },
    ) => id);
  assert.deepEqual(await only("label=n=3"), [ids[1]]);
  await api.call("DELETE", `/sessions/${ids[0]}`);
  assert.deepEqual(await only("status=completed"), [ids[0]]);
  assert.equal((await only("status=pending,completed")).length, 5);
  const worker = await api.worker();
  const claimed = await api.claim(worker);
  assert.deepEqual(await only(`worker_id=${worker}`), [claimed?.id]);
  assertRefused(
    await api.call("GET", "/sessions?status=gone"),
    { status: 422, code: "invalid_request" },
    /pending/,
  );
});

Deno.test("GET session returns the session, with events and metrics on request", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  await api.report(workerId, claimed, "running", {
    metrics: {
      cpu_percent: 12.5,
      memory_mb: 300,
      network_rx_bytes: 7,
      network_tx_bytes: null,
      disk_read_bytes: null,
      disk_write_bytes: null,
    },
  });
  const path = `/sessions/${claimed.id}`;
  const { body } = await api.call("GET", `${path}?include=events,metrics`);
  assert.equal(body.status, "running");
  assert.equal(body.worker_id, workerId);
  assert.ok(body.started_at);
  assert.deepEqual(
    body.events.map(({ event }: { event: string }) => event),
    [
      "session_created",
      "session_assigned",
      "session_starting",
      "browser_started",
    ],
  );
  assert.equal(body.metrics[0].cpu_percent, 12.5);
  const { body: plain } = await api.call("GET", path);
  assert.ok(!("events" in plain) && !("metrics" in plain));
  const { body: metrics } = await api.call("GET", `${path}/metrics`);
  assert.equal(metrics.items[0].memory_mb, 300);
  const [, assigned] = body.events;
  const { body: events } = await api.call(
    "GET",
    `${path}/events?after=${assigned.seq}`,
  );
  assert.equal(events.items[0].event, "session_starting");
});

Deno.test("only the worker that holds a session records events and metrics", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { claimed: { id, fencing_token } } = await api.running();
  const idle = { fencing_token, event: "session_idle", data: { for: 9 } };
  const path = `/sessions/${id}`;
  assert.equal((await api.call("POST", `${path}/events`, idle)).status, 204);
  assert.equal(
    (await api.call("POST", `${path}/metrics`, { fencing_token, memory_mb: 5 }))
      .status,
    204,
  );
  for (const what of ["events", "metrics"]) {
    const stale = what === "events"
      ? { ...idle, fencing_token: fencing_token + 1 }
      : { fencing_token: fencing_token + 1 };
    assertRefused(await api.call("POST", `${path}/${what}`, stale), {
      status: 409,
      code: "lease_lost",
    });
  }
  const { body } = await api.call("GET", `${path}/events`);
  assert.deepEqual(body.items.at(-1).data, { for: 9 });
});

Deno.test("DELETE ends a pending session at once, and changes nothing when repeated", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session();
  const first = await api.call("DELETE", `/sessions/${id}`);
  assert.deepEqual([first.status, first.body.status], [200, "completed"]);
  const again = await api.call("DELETE", `/sessions/${id}?force=true`);
  assert.deepEqual(again.body, first.body);
});

Deno.test("DELETE of a running session sends a stop command to its worker", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  const answer = await api.call("DELETE", `/sessions/${claimed.id}`);
  assert.deepEqual([answer.status, answer.body.status], [202, "running"]);
  const { body } = await api.call(
    "POST",
    `/workerpool/workers/${workerId}/claim-session`,
  );
  assert.deepEqual(body.sessions, []);
  assert.deepEqual(body.commands, [{
    type: "stop",
    session_id: claimed.id,
    fencing_token: claimed.fencing_token,
    status: "completed",
    reason: "ended by its owner",
    force: false,
  }]);
  await api.report(workerId, claimed, "completed", { logs: "last words" });
  assert.equal(
    (await api.call("GET", `/sessions/${claimed.id}`)).body.status,
    "completed",
  );
  assert.equal(
    (await api.call("GET", `/sessions/${claimed.id}/logs`)).text,
    "last words",
  );
});

Deno.test("DELETE with force ends a running session's record at once, and repeats the stop command until the worker obeys", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  const answer = await api.call("DELETE", `/sessions/${claimed.id}?force=true`);
  assert.deepEqual([answer.status, answer.body.status], [200, "terminated"]);
  const commands = async () =>
    (await api.call("PUT", `/workerpool/workers/${workerId}/heartbeat`, {}))
      .body.commands;
  assert.deepEqual((await commands())[0].force, [true][0]);
  assert.equal((await commands()).length, 1);
  await api.report(workerId, claimed, "terminated");
  assert.deepEqual(await commands(), []);
});

Deno.test("refresh moves the end of a live session, and rejects an ended one", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { claimed: { id } } = await api.running({
    resource_limits: { timeout_minutes: 10 },
  });
  const minutesLeft = async (json?: unknown) => {
    const { body } = await api.call("POST", `/sessions/${id}/refresh`, json);
    return (Date.parse(body.expires_at) - Date.parse(body.updated_at)) / 60_000;
  };
  assert.equal(await minutesLeft({ timeout_minutes: 90 }), 90);
  assert.equal(await minutesLeft(), 10);
  await api.call("DELETE", `/sessions/${id}?force=true`);
  assertRefused(await api.call("POST", `/sessions/${id}/refresh`), {
    status: 410,
    code: "session_ended",
  });
});

Deno.test("every request for a session that does not exist is rejected with session_not_found", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const ids = ["not-an-id", "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d"];
  for (const id of ids) {
    const asked: [string, string, unknown?][] = [
      ["GET", ""],
      ["GET", "?include=events"],
      ["DELETE", ""],
      ["POST", "/refresh"],
      ["GET", "/events"],
      ["GET", "/metrics"],
      ["GET", "/logs"],
      ["POST", "/events", { fencing_token: 1, event: "session_idle" }],
      ["POST", "/metrics", { fencing_token: 1 }],
    ];
    for (const [method, path, json] of asked) {
      assertRefused(await api.call(method, `/sessions/${id}${path}`, json), {
        status: 404,
        code: "session_not_found",
      });
    }
  }
});
