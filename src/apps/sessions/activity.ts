import type { Core } from "../../core/app.ts";
import type {
  ActivityChange,
  ActivityStore,
  ClientActivity,
} from "./store/activity.ts";

export type { ClientActivity } from "./store/activity.ts";

/** What the gateway records of the clients that are with it. Each is one round trip. */
export interface SessionActivity {
  /** A client is connected with it. */
  recordConnected(id: string): Promise<void>;
  /**
   * A client is no longer connected with it. When it was the last one, the session is idle; an ephemeral one with
   * `keep_alive_seconds` waits so long from now.
   */
  recordDisconnected(
    id: string,
    data: Readonly<Record<string, unknown>>,
  ): Promise<void>;
  /** That bytes pass for the `active`, and that the clients of `clientsSeen` are there. */
  recordActivity(activity: ClientActivity): Promise<void>;
}

/** Whether a session is used. */
export type ActivityEvent = "session_idle" | "session_active";

/** Tells subscribers which sessions are idle from now on, or no longer. */
export function publishActivity(
  { bus }: Pick<Core, "bus">,
  type: ActivityEvent,
  changed: readonly ActivityChange[],
): void {
  for (const { id, workPoolId, workerId } of changed) {
    bus.publish({
      type,
      subject: id,
      work_pool_id: workPoolId,
      ...(workerId ? { worker_id: workerId } : {}),
    });
  }
}

/** Presence over its store. */
export function createSessionActivity(
  core: Pick<Core, "clock" | "bus">,
  store: ActivityStore,
): SessionActivity {
  const { clock } = core;
  return {
    async recordConnected(id) {
      const changed = await store.connected(id, clock.now());
      publishActivity(core, "session_active", changed);
    },
    async recordDisconnected(id, data) {
      const changed = await store.disconnected(id, data, clock.now());
      publishActivity(core, "session_idle", changed);
    },
    async recordActivity(activity) {
      const changed = await store.record(activity, clock.now());
      publishActivity(core, "session_active", changed);
    },
  };
}
