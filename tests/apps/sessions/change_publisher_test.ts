import assert from "node:assert/strict";
import { LifecycleMetrics } from "../../../src/apps/sessions/lifecycle_metrics.ts";
import { MetricRegistry } from "../../../src/core/metrics/registry.ts";
import { ChangePublisher } from "../../../src/apps/sessions/change_publisher.ts";
import { systemClock } from "../../../src/async/clock.ts";
import { Bus, type BusEvent } from "../../../src/core/bus.ts";

function record(act: (publisher: ChangePublisher) => void): BusEvent[] {
  const bus = new Bus();
  const events: BusEvent[] = [];
  using _subscription = bus.subscribe((event) => void events.push(event));
  act(
    new ChangePublisher(
      { bus, clock: systemClock },
      new LifecycleMetrics(new MetricRegistry()),
    ),
  );
  return events;
}

const UNSTARTED = {
  provider: "local",
  warm: false,
  startedAt: null,
  endedAt: null,
  createdAt: 0,
  statusReason: null,
  traceparent: null,
} as const;

const crashed = {
  id: "s1",
  ...UNSTARTED,
  status: "crashed",
  workPoolId: "p1",
  workerId: "w1",
} as const;

const stopped = { ...crashed, id: "s2", status: "running" } as const;

Deno.test("publish() publishes the event of the status, without a worker if there is none", () => {
  const pending = { ...crashed, status: "pending", workerId: null } as const;
  const events = record((publisher) =>
    publisher.publish([crashed, pending], "request")
  );
  assert.deepEqual(events, [
    {
      type: "session_crashed",
      subject: "s1",
      work_pool_id: "p1",
      worker_id: "w1",
    },
    { type: "session_requeued", subject: "s1", work_pool_id: "p1" },
  ]);
});

Deno.test("publish() marks a start whose path to the browser is open", () => {
  const [event] = record((publisher) =>
    publisher.publish([{ ...stopped, isReachOpen: 1 }], "request")
  );
  assert.equal(event?.type, "browser_started");
  assert.ok(event?.is_reach_open);
});

Deno.test("publishDue() publishes a stop for each session, and the status only of ended and requeued ones", () => {
  const events = record((publisher) =>
    publisher.publishDue([crashed, stopped], "lifetime")
  );
  assert.deepEqual(events.map(({ type, subject }) => [type, subject]), [
    ["session_crashed", "s1"],
    ["session_stopping", "s1"],
    ["worker_commanded", "w1"],
    ["session_stopping", "s2"],
    ["worker_commanded", "w1"],
  ]);
});

Deno.test("wakeWorker() publishes nothing for a session without a worker", () => {
  assert.deepEqual(record((publisher) => publisher.wakeWorker(null)), []);
});
