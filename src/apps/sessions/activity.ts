import type { Core } from "../../core/app.ts";
import type { ChangePublisher } from "./change_publisher.ts";
import type {
  ActivityStore,
  ClientActivity,
} from "./store/lifecycle/activity.ts";

/** Records which sessions clients use, for the gateway. Each method is one round trip. */
export class SessionActivity {
  readonly #clock: Core["clock"];
  readonly #store: ActivityStore;
  readonly #publisher: ChangePublisher;

  constructor(
    { clock }: Pick<Core, "clock">,
    store: ActivityStore,
    publisher: ChangePublisher,
  ) {
    this.#clock = clock;
    this.#store = store;
    this.#publisher = publisher;
  }

  /** Records that a client has connected to the session. */
  async recordConnected(id: string): Promise<void> {
    const changes = await this.#store.recordConnected(id, this.#clock.now());
    this.#publisher.publishClient("client_connected", id);
    this.#publisher.publishActivity("session_active", changes);
  }

  /**
   * Records that a client has disconnected. After the last client the session is idle; an ephemeral session with
   * `keep_alive_seconds` then waits for that time.
   */
  async recordDisconnected(
    id: string,
    data: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const changes = await this.#store.recordDisconnected(
      id,
      data,
      this.#clock.now(),
    );
    this.#publisher.publishClient("client_disconnected", id);
    this.#publisher.publishActivity("session_idle", changes);
  }

  /** Records the sessions over whose streams bytes pass, and those whose clients are connected. */
  async recordActivity(activity: ClientActivity): Promise<void> {
    const changes = await this.#store.recordActivity(
      activity,
      this.#clock.now(),
    );
    this.#publisher.publishActivity("session_active", changes);
  }
}
