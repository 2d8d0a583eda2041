import type { Core } from "../../core/app.ts";
import type { Bus } from "../../core/bus.ts";
import { createLogger, noteTrace } from "../../core/log.ts";
import type { EndCause, LifecycleMetrics } from "./lifecycle_metrics.ts";
import { isTerminal, STATUS_EVENTS } from "./status.ts";
import type { ActivityChange } from "./store/lifecycle/activity.ts";
import type { StatusChange } from "./store/lifecycle/transition.ts";

/** Events of a session that becomes idle or active. */
export type ActivityEvent = "session_idle" | "session_active";

const log = createLogger("sessions", "spans");

/** Calls `record` with the functions that record spans, which are loaded when a server sends spans. */
export function withSpans(
  record: (spans: typeof import("./trace/session_spans.ts")) => void,
): void {
  import("./trace/session_spans.ts").then(record).catch((error: unknown) =>
    log.warn("Recording spans failed: {error}", { error })
  );
}

/** Core parts of a {@linkcode ChangePublisher}. */
type PublisherCore = Pick<Core, "bus" | "clock" | "tracer">;

/** Publishes changes of sessions on the bus, for waiting clients, the gateway and workers. */
export class ChangePublisher {
  readonly #core: PublisherCore;
  readonly #bus: Bus;
  readonly #metrics: LifecycleMetrics;

  constructor(core: PublisherCore, metrics: LifecycleMetrics) {
    this.#core = core;
    this.#bus = core.bus;
    this.#metrics = metrics;
  }

  /**
   * Counts changes of status, records their spans, and publishes the event of each.
   *
   * @param cause Of those that are an end.
   * @param startAt Time at which the changes began to be stored.
   */
  publish(
    changes: readonly StatusChange[],
    cause: EndCause,
    startAt?: number,
  ): void {
    const { clock, tracer } = this.#core;
    const endAt = clock.now();
    this.#metrics.count(changes, cause);
    for (const { id, traceparent } of changes) noteTrace(id, traceparent);
    if (tracer) {
      const period = { startAt: startAt ?? endAt, endAt };
      withSpans(({ recordChanges }) => recordChanges(tracer, changes, period));
    }
    for (const { id, status, workPoolId, workerId, isReachOpen } of changes) {
      this.#bus.publish({
        type: STATUS_EVENTS[status],
        subject: id,
        work_pool_id: workPoolId,
        ...(workerId ? { worker_id: workerId } : {}),
        ...(isReachOpen === 1 ? { is_reach_open: true } : {}),
      });
    }
  }

  /** Publishes that a client has connected to a session or disconnected. */
  publishClient(
    type: "client_connected" | "client_disconnected",
    id: string,
  ): void {
    this.#bus.publish({ type, subject: id });
  }

  /** Publishes an event for each session that has become idle or active. */
  publishActivity(
    type: ActivityEvent,
    changes: readonly ActivityChange[],
  ): void {
    for (const { id, workPoolId, workerId } of changes) {
      this.#bus.publish({
        type,
        subject: id,
        work_pool_id: workPoolId,
        ...(workerId ? { worker_id: workerId } : {}),
      });
    }
  }

  /** Publishes changes that the reconciler made, and that each session is to stop. */
  publishDue(changes: readonly StatusChange[], cause: EndCause): void {
    if (cause === "lease_lost") this.#metrics.countLeasesLost(changes);
    const due = changes.filter(({ status }) =>
      isTerminal(status) || status === "pending"
    );
    this.publish(due, cause);
    for (const change of changes) this.publishStop(change);
  }

  /** Publishes a stop command, so that the gateway and the worker act at once. */
  publishStop({ id, workerId }: Pick<StatusChange, "id" | "workerId">): void {
    this.#bus.publish({ type: "session_stopping", subject: id });
    this.wakeWorker(workerId);
  }

  /** Ends the long poll of the worker that holds the session, if there is one. */
  wakeWorker(workerId: string | null): void {
    if (workerId === null) return;
    this.#bus.publish({
      type: "worker_commanded",
      subject: workerId,
      worker_id: workerId,
    });
  }
}
