import assert from "node:assert/strict";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";

const WORKERS = "/workerpool/workers";
const UNKNOWN = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";

Deno.test("a heartbeat records the worker's state and returns its commands", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const id = await api.worker();
  const { status, body } = await api.call("PUT", `${WORKERS}/${id}/heartbeat`, {
    status: "busy",
    current_load: 5,
    cpu_percent: 55.5,
    memory_usage_mb: 2_000,
    disk_usage_mb: 9,
    provider_details: { engine: "27" },
  });
  assert.equal(status, 200);
  assert.deepEqual([body.status, body.reports, body.commands], [
    "busy",
    [],
    [],
  ]);
  const { body: worker } = await api.call("GET", `${WORKERS}/${id}`);
  assert.equal(worker.current_load, 5);
  assert.equal(worker.cpu_percent, 55.5);
  assert.equal(worker.memory_usage_mb, 2_000);
  assert.equal(worker.disk_usage_mb, 9);
  assert.deepEqual(worker.provider_details, { engine: "27" });
});

Deno.test("one heartbeat contains the reports of many sessions, and repeating it changes nothing", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const worker = await api.worker();
  const claimed: Awaited<ReturnType<typeof api.claim>>[] = [];
  for (let at = 0; at < 4; at++) {
    await api.session();
    claimed.push(await api.claim(worker));
  }
  const statuses = ["running", "failed", "running", "crashed"];
  const sessions = claimed.map((session, at) => ({
    session_id: session?.id,
    fencing_token: 1,
    status: statuses[at],
    status_reason: `reason ${at}`,
    progress: [`line ${at}`],
    ...(statuses[at] === "running"
      ? { endpoint: "ws://127.0.0.1:9/devtools/browser/x" }
      : {}),
  }));
  const path = `${WORKERS}/${worker}/heartbeat`;
  const first = await api.call("PUT", path, { sessions });
  assert.deepEqual(
    first.body.reports.map(({ result }: { result: string }) => result),
    Array(4).fill("accepted"),
  );
  const read = async () =>
    await Promise.all(claimed.map(async (session) => {
      const { body } = await api.call(
        "GET",
        `/sessions/${session?.id}?include=events`,
      );
      return {
        status: body.status,
        reason: body.status_reason,
        events: body.events.map(({ event }: { event: string }) => event)
          .filter((event: string) => event !== "session_progress"),
      };
    }));
  const before = await read();
  assert.deepEqual(before.map(({ status }) => status), statuses);
  assert.deepEqual(before[1]?.reason, "reason 1");
  await api.call("PUT", path, { sessions });
  assert.deepEqual(await read(), before);
});

Deno.test("a report with a stale fencing token, or by another worker, is rejected and changes nothing", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  const other = await api.worker({ name: "other" });
  const stale = { id: claimed.id, fencing_token: claimed.fencing_token + 1 };
  assert.equal(await api.report(workerId, stale, "crashed"), "lease_lost");
  assert.equal(await api.report(other, claimed, "crashed"), "lease_lost");
  const { body } = await api.call("GET", `/sessions/${claimed.id}`);
  assert.equal(body.status, "running");
});

Deno.test("a repeated report records its progress once; the next start may report the same lines again", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session();
  const worker = await api.worker();
  const claimed = await api.claim(worker);
  assert.ok(claimed);
  const progress = ["Pulling", "Starting"];
  await api.report(worker, claimed, "starting", { progress });
  await api.report(worker, claimed, "starting", { progress });
  const { body } = await api.call("GET", `/sessions/${id}/events`);
  const lines = body.items.filter(({ event }: { event: string }) =>
    event === "session_progress"
  );
  assert.deepEqual(
    lines.map(({ data }: { data: { message: string } }) => data.message),
    progress,
  );
});

Deno.test("two reports of one session in one heartbeat are rejected", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const worker = await api.worker();
  const report = { session_id: UNKNOWN, fencing_token: 1, status: "running" };
  assertRefused(
    await api.call("PUT", `${WORKERS}/${worker}/heartbeat`, {
      sessions: [report, report],
    }),
    { status: 422, code: "invalid_request" },
    /one report a session/,
  );
});
