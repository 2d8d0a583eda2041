import type { Core } from "../../core/app.ts";
import type { Presence, PresenceStore, UseChanged } from "./store/activity.ts";

export type { Presence } from "./store/activity.ts";

/** What the gateway records of the clients that are with it. Each is one round trip. */
export interface SessionPresence {
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
  /** That bytes pass for the `active`, and that the clients of the `attended` are there. */
  recordPresence(presence: Presence): Promise<void>;
}

/** Whether a session is used. */
export type UseEvent = "session_idle" | "session_active";

/** Tells subscribers which sessions are idle from now on, or no longer. */
export function publishUse(
  { bus }: Pick<Core, "bus">,
  type: UseEvent,
  changed: readonly UseChanged[],
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
export function createPresence(
  core: Pick<Core, "clock" | "bus">,
  store: PresenceStore,
): SessionPresence {
  const { clock } = core;
  return {
    async recordConnected(id) {
      const changed = await store.connected(id, clock.now());
      publishUse(core, "session_active", changed);
    },
    async recordDisconnected(id, data) {
      const changed = await store.disconnected(id, data, clock.now());
      publishUse(core, "session_idle", changed);
    },
    async recordPresence(presence) {
      const changed = await store.present(presence, clock.now());
      publishUse(core, "session_active", changed);
    },
  };
}
