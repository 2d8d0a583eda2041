import assert from "node:assert/strict";
import { sessionReportSchema } from "../../src/apps/sessions/schemas/leases.ts";
import {
  addMetrics,
  createEndReport,
  createRunningReport,
  toMinimalReport,
  toSessionEnd,
} from "../../src/worker/report.ts";

const SESSION = {
  id: "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d",
  fencingToken: 3,
};
const ENDPOINT = new URL("ws://127.0.0.1:9222/devtools/browser/x");

Deno.test("createRunningReport() contains the endpoint and the details, and the container's id also on its own", () => {
  const local = createRunningReport(SESSION, {
    endpoint: ENDPOINT,
    details: { pid: "7" },
  });
  assert.deepEqual(local, {
    session_id: SESSION.id,
    fencing_token: 3,
    status: "running",
    endpoint: ENDPOINT.href,
    details: { pid: "7" },
  });
  const contained = createRunningReport(SESSION, {
    endpoint: ENDPOINT,
    details: { container_id: "c0ffee" },
  });
  assert.equal(contained.container_id, "c0ffee");
});

Deno.test("createEndReport() shortens the reason to what the server accepts, and replaces half characters", () => {
  const report = createEndReport(SESSION, {
    status: "failed",
    reason: "x".repeat(7_999) + "🎉",
    logs: "",
  });
  assert.equal(report.status_reason?.length, 8_000);
  assert.ok(report.status_reason?.isWellFormed());
  assert.ok(!("logs" in report));
  assert.ok(sessionReportSchema.safeParse(report).success);
});

Deno.test("createEndReport() contains the log, if there is one", () => {
  const end = { status: "crashed", reason: "exit code 1" } as const;
  const report = createEndReport(SESSION, { ...end, logs: "last line" });
  assert.equal(report.logs, "last line");
});

Deno.test("toSessionEnd() maps a stopped browser to completed, any other exit to crashed", () => {
  const detail = "it closed";
  assert.deepEqual(toSessionEnd({ reason: "stopped", detail }), {
    status: "completed",
    reason: detail,
  });
  assert.deepEqual(toSessionEnd({ reason: "crashed", detail }), {
    status: "crashed",
    reason: detail,
  });
});

Deno.test("addMetrics() adds measurements that the server accepts, with null for what was not measured", () => {
  const report = createRunningReport(SESSION, {
    endpoint: ENDPOINT,
    details: {},
  });
  assert.equal(addMetrics(report, undefined), report);
  const measured = addMetrics(report, {
    memoryMb: 1.5,
    networkTxBytes: 10.6,
    diskReadBytes: 4_096,
  });
  assert.deepEqual(measured.metrics, {
    cpu_percent: null,
    memory_mb: 1.5,
    network_rx_bytes: null,
    network_tx_bytes: 11,
    disk_read_bytes: 4_096,
    disk_write_bytes: null,
  });
  assert.ok(sessionReportSchema.safeParse(measured).success);
});

Deno.test("toMinimalReport() keeps what renews the lease, and the endpoint", () => {
  const report = createRunningReport(SESSION, {
    endpoint: ENDPOINT,
    details: { pid: "7" },
  });
  assert.deepEqual(toMinimalReport({ ...report, progress: ["a line"] }), {
    session_id: SESSION.id,
    fencing_token: 3,
    status: "running",
    endpoint: ENDPOINT.href,
  });
  const { session_id, fencing_token } = report;
  const starting = { session_id, fencing_token, status: "starting" } as const;
  assert.deepEqual(toMinimalReport(starting), starting);
});
