import type { Bus } from "../../core/bus.ts";
import { isTerminal, STATUS_EVENTS } from "./status.ts";
import type { ActivityChange } from "./store/lifecycle/activity.ts";
import type { StatusChange } from "./store/lifecycle/transition.ts";

/** Events of a session that becomes idle or active. */
export type ActivityEvent = "session_idle" | "session_active";

/** Publishes changes of sessions on the bus, for waiting clients, the gateway and workers. */
export class ChangePublisher {
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** Publishes the event of each change of status. */
  publish(changes: readonly StatusChange[]): void {
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
  publishDue(changes: readonly StatusChange[]): void {
    this.publish(
      changes.filter(({ status }) =>
        isTerminal(status) || status === "pending"
      ),
    );
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
