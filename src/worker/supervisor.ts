import type {
  ClaimedSession,
  Command,
  HeldSessionWire,
} from "../client/client.ts";
import type { Clock } from "../core/clock.ts";
import { logOf } from "../core/log.ts";
import type {
  BrowserHost,
  BrowserStats,
  RunningBrowser,
} from "../core/provider.ts";
import { HeldSession, type Report } from "./held_session.ts";
import { trustedUntil } from "./lease.ts";
import type { Outbox } from "./outbox.ts";

const log = logOf("worker", "supervisor");

/** What a supervisor works with. */
export interface SupervisorOptions {
  readonly host: BrowserHost;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly capacity: number;
  /** Told that there is something to report, or room again. */
  readonly onChange: () => void;
}

interface Lease {
  until: number;
}

/** The sessions that a worker holds. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #held = new Map<
    string,
    { readonly session: HeldSession; readonly lease: Lease }
  >();
  readonly #ids = new Set<string>();
  readonly #stats = new Map<string, BrowserStats>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Ids of the sessions that it holds; a live view. */
  get heldIds(): ReadonlySet<string> {
    return this.#ids;
  }

  get size(): number {
    return this.#held.size;
  }

  /** How many more sessions it may hold. */
  get room(): number {
    return Math.max(0, this.#options.capacity - this.size);
  }

  /** Starts the browser of a session that was claimed with a request sent at `sentAt` (monotonic). */
  take(claimed: ClaimedSession, sentAt: number): void {
    const known = this.#held.get(claimed.id);
    // The answer to a repeated claim.
    if (known?.session.fencingToken === claimed.fencing_token) return;
    // Its lease was lost and it comes back: the old browser goes first.
    if (known) this.release([claimed.id]);
    this.#options.outbox.put({
      session_id: claimed.id,
      fencing_token: claimed.fencing_token,
      status: "starting",
    });
    this.#hold(
      claimed.id,
      trustedUntil(sentAt, claimed.lease_ttl_ms),
      () =>
        HeldSession.start(claimed, this.#options.host, {
          onReport: this.#report,
          after: known?.session.ended,
        }),
    );
  }

  /** Goes on with the browsers that still run and that the server counts as this worker's. Reports the missing as crashed. */
  adopt(
    browsers: readonly RunningBrowser[],
    held: readonly HeldSessionWire[],
    until: number,
  ): void {
    for (const { session_id, fencing_token } of held) {
      const browser = browsers.find(({ sessionId }) =>
        sessionId === session_id
      );
      if (browser) {
        log.info("Adopted the browser of session {session_id}", { session_id });
        this.#hold(
          session_id,
          until,
          () => HeldSession.adopt(browser, fencing_token, this.#report),
        );
      } else {
        this.#report({
          session_id,
          fencing_token,
          status: "crashed",
          status_reason: "the browser was gone when its worker came back",
        });
      }
    }
  }

  /** Obeys an order; one for a session that is gone is answered with its end. */
  obey(command: Extract<Command, { type: "stop" }>): void {
    const held = this.#held.get(command.session_id);
    if (held) held.session.obey(command);
    else {
      this.#report({
        session_id: command.session_id,
        fencing_token: command.fencing_token,
        status: command.status,
        status_reason: command.reason,
      });
    }
  }

  /** Ends sessions that belong to another by now. */
  release(sessionIds: readonly string[]): void {
    for (const id of sessionIds) {
      const held = this.#held.get(id);
      if (!held) continue;
      log.warn("Lease of session {session_id} lost, its browser is ended", {
        session_id: id,
      });
      held.session.obey({
        status: "terminated",
        reason: "its lease was lost",
        force: true,
      });
    }
  }

  /** Counts the leases of `sessionIds` as renewed. */
  renew(sessionIds: readonly string[], until: number): void {
    for (const id of sessionIds) {
      const held = this.#held.get(id);
      if (held) held.lease.until = until;
    }
  }

  /** Ends what was not renewed in time: the server may have given it away. */
  releaseUntrusted(): void {
    const now = this.#options.clock.monotonic();
    const late = [...this.#held].filter(([, { lease }]) => lease.until < now);
    this.release(late.map(([id]) => id));
  }

  /** The last measurement of a session's browser; a new one is begun, but not waited for. */
  statsOf(sessionId: string): BrowserStats | undefined {
    const browser = this.#held.get(sessionId)?.session.browser;
    void browser?.stats?.().then(
      (stats) => this.#stats.set(sessionId, stats),
      () => this.#stats.delete(sessionId),
    );
    return this.#stats.get(sessionId);
  }

  /** Ends every session and waits until nothing is left of them. `killed`: the browsers are not asked. */
  async endAll(reason: string, how: "asked" | "killed"): Promise<void> {
    const all = [...this.#held.values()];
    const force = how === "killed";
    for (const { session } of all) {
      session.obey({ status: "terminated", reason, force });
    }
    await Promise.all(all.map(({ session }) => session.ended));
  }

  /** Resolves when nothing is held. */
  async idle(): Promise<void> {
    while (this.size > 0) {
      await Promise.race(
        [...this.#held.values()].map(({ session }) => session.ended),
      );
    }
  }

  /** Counts it as held before `begin` starts anything, so that no sweep takes it for a leftover. */
  #hold(id: string, until: number, begin: () => HeldSession): void {
    this.#ids.add(id);
    const session = begin();
    this.#held.set(id, { session, lease: { until } });
    void session.ended.catch((error: unknown) =>
      log.error("Session {session_id} ended badly: {error}", {
        session_id: id,
        error,
      })
    ).finally(() => {
      // Unless the session has come back meanwhile.
      if (this.#held.get(id)?.session !== session) return;
      this.#held.delete(id);
      this.#ids.delete(id);
      this.#stats.delete(id);
      this.#options.onChange();
    });
  }

  readonly #report = (report: Report): void => {
    this.#options.outbox.put(report);
    this.#options.onChange();
  };
}
