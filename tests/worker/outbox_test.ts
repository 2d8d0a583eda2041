import assert from "node:assert/strict";
import type { ReportResult } from "../../src/client/client.ts";
import { Outbox } from "../../src/worker/outbox.ts";

const SESSION = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";

function report(status: "starting" | "running" | "crashed", token = 1) {
  return { session_id: SESSION, fencing_token: token, status };
}

function answer(result: ReportResult["result"]): ReportResult[] {
  return [{ session_id: SESSION, result }];
}

Deno.test("Outbox repeats a report until the server responds to it", () => {
  const outbox = new Outbox();
  outbox.put({ ...report("running"), endpoint: "ws://127.0.0.1:1/x" });
  assert.equal(outbox.snapshot()[0]?.endpoint, "ws://127.0.0.1:1/x");
  assert.equal(outbox.snapshot()[0]?.endpoint, "ws://127.0.0.1:1/x");
});

Deno.test("Outbox keeps a minimal report of a held session, which renews its lease", () => {
  const outbox = new Outbox();
  outbox.put({ ...report("running"), endpoint: "ws://127.0.0.1:1/x" });
  outbox.settle(outbox.snapshot(), answer("accepted"));
  assert.deepEqual(outbox.snapshot(), [report("running")]);
});

Deno.test("Outbox removes a session whose end was acknowledged", () => {
  const outbox = new Outbox();
  outbox.put(report("crashed"));
  outbox.settle(outbox.snapshot(), answer("accepted"));
  assert.deepEqual(outbox.snapshot(), []);
});

Deno.test("Outbox keeps a report that changed while the earlier one was in flight", () => {
  const outbox = new Outbox();
  outbox.put(report("starting"));
  const sent = outbox.snapshot();
  outbox.put(report("running"));
  outbox.settle(sent, answer("accepted"));
  assert.deepEqual(outbox.snapshot(), [report("running")]);
});

Deno.test("Outbox returns the sessions whose leases are lost, and reports them no more", () => {
  const outbox = new Outbox();
  outbox.put(report("running"));
  const lost = outbox.settle(outbox.snapshot(), answer("lease_lost"));
  assert.deepEqual(lost, [SESSION]);
  assert.deepEqual(outbox.snapshot(), []);
});

Deno.test("Outbox ignores the loss of a lease that was replaced by a new one", () => {
  const outbox = new Outbox();
  outbox.put(report("running", 1));
  const sent = outbox.snapshot();
  outbox.put(report("starting", 2));
  assert.deepEqual(outbox.settle(sent, answer("lease_lost")), []);
  outbox.put(report("crashed", 1));
  assert.deepEqual(outbox.snapshot(), [report("starting", 2)]);
});

Deno.test("Outbox collects the progress lines of a start, at most 50", () => {
  const outbox = new Outbox();
  outbox.put(report("starting"));
  for (let line = 0; line < 60; line++) {
    outbox.addProgress(SESSION, `line ${line}`);
  }
  const [{ progress = [] } = {}] = outbox.snapshot();
  assert.equal(progress.length, 50);
  assert.equal(progress.at(-1), "line 59");
});

Deno.test("Outbox splits the final reports of many sessions into parts, and each part has the held sessions", () => {
  const outbox = new Outbox();
  const held = { ...report("running"), session_id: crypto.randomUUID() };
  outbox.put(held);
  for (let at = 0; at < 100; at++) {
    outbox.put({
      ...report("crashed"),
      session_id: crypto.randomUUID(),
      logs: "x".repeat(32_000),
    });
  }
  let requests = 0;
  for (; outbox.size > 1; requests++) {
    const sent = outbox.snapshot();
    assert.ok(JSON.stringify(sent).length < 300_000);
    assert.ok(sent.some(({ session_id }) => session_id === held.session_id));
    outbox.settle(
      sent,
      sent.map(({ session_id }) => ({ session_id, result: "accepted" })),
    );
  }
  assert.ok(requests > 10 && requests < 20, String(requests));
});

Deno.test("Outbox keeps a fuller report of the same status that was put while the minimal one was in flight", () => {
  const outbox = new Outbox();
  outbox.put(report("running"));
  const sent = outbox.snapshot();
  outbox.put({ ...report("running"), endpoint: "ws://127.0.0.1:1/x" });
  outbox.settle(sent, answer("accepted"));
  assert.equal(outbox.snapshot()[0]?.endpoint, "ws://127.0.0.1:1/x");
});
