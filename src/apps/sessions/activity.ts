import type { Core } from "../../core/app.ts";
import type {
  ActivityChange,
  ActivityStore,
  ClientActivity,
} from "./store/activity.ts";

/** Records which sessions clients use, for the gateway. Each method is one round trip. */
export class SessionActivity {
  readonly #core: Pick<Core, "clock" | "bus">;
  readonly #store: ActivityStore;

  constructor(core: Pick<Core, "clock" | "bus">, store: ActivityStore) {
    this.#core = core;
    this.#store = store;
  }

  /** Records that a client has connected to the session. */
  async recordConnected(id: string): Promise<void> {
    const changes = await this.#store.recordConnected(id, this.#now());
    publishActivity(this.#core, "session_active", changes);
  }

  /**
   * Records that a client has disconnected. After the last client the session is idle; an ephemeral session with
   * `keep_alive_seconds` then waits for that time.
   */
  async recordDisconnected(
    id: string,
    data: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const changes = await this.#store.recordDisconnected(id, data, this.#now());
    publishActivity(this.#core, "session_idle", changes);
  }

  /** Records the sessions over whose streams bytes pass, and those whose clients are connected. */
  async recordActivity(activity: ClientActivity): Promise<void> {
    const changes = await this.#store.recordActivity(activity, this.#now());
    publishActivity(this.#core, "session_active", changes);
  }

  #now(): number {
    return this.#core.clock.now();
  }
}

/** Events of a session that becomes idle or active. */
export type ActivityEvent = "session_idle" | "session_active";

/** Publishes an event for each session that has become idle or active. */
export function publishActivity(
  { bus }: Pick<Core, "bus">,
  type: ActivityEvent,
  changes: readonly ActivityChange[],
): void {
  for (const { id, workPoolId, workerId } of changes) {
    bus.publish({
      type,
      subject: id,
      work_pool_id: workPoolId,
      ...(workerId ? { worker_id: workerId } : {}),
    });
  }
}
