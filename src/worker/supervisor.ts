import type {
  ClaimedSession,
  HeldSessionWire,
  ReportResult,
  StopCommand,
} from "../client/client.ts";
import { createLogger } from "../core/log.ts";
import type { BrowserStats, RunningBrowser } from "../core/provider.ts";
import { BrowserMeter } from "./host/browser_meter.ts";
import { HeldSession, type Report } from "./held_session.ts";
import {
  calculateTrustedUntil,
  isLost,
  isPastLifetime,
  type Lease,
} from "./lease.ts";
import type { Outbox } from "./outbox.ts";
import type { BrowserAddress } from "./tunnel/stream.ts";
import type { BrowserSource } from "./start_browser.ts";

const log = createLogger("worker", "supervisor");

/** What a supervisor works with. */
export interface SupervisorOptions extends BrowserSource {
  readonly outbox: Outbox;
  readonly capacity: number;
  /** How much longer than its lease a browser that runs is kept now. */
  readonly graceMs: () => number;
  readonly isHostUp: () => Promise<boolean>;
  /** Told that there is something to report, or room again. */
  readonly onChange: () => void;
}

/** The sessions that a worker holds. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #held = new Map<
    string,
    {
      readonly session: HeldSession;
      readonly lease: Lease;
      readonly meter: BrowserMeter;
    }
  >();
  readonly #ids = new Set<string>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Ids of the sessions that it holds; a live view. */
  get heldIds(): ReadonlySet<string> {
    return this.#ids;
  }

  /** Ids of those that are being ended, or whose end is being reported: no order of theirs is news. */
  get endingIds(): readonly string[] {
    const ending = [...this.#held.values()].filter(({ session }) =>
      session.isEnding
    );
    return [
      ...ending.map(({ session }) => session.id),
      ...this.#options.outbox.endedIds,
    ];
  }

  get size(): number {
    return this.#held.size;
  }

  /** Whether any of them waits for its browser. */
  get isStarting(): boolean {
    return [...this.#held.values()].some(({ session }) =>
      !session.browser && !session.isEnding
    );
  }

  /** How many more sessions it may hold. */
  get room(): number {
    return Math.max(0, this.#options.capacity - this.size);
  }

  /** Where the browser of a session listens; undefined: none of it runs here. */
  findAddress(sessionId: string): BrowserAddress | undefined {
    return this.#held.get(sessionId)?.session.browser;
  }

  /** Starts the browser of a session that was not claimed before `claimedAt` (monotonic). */
  start(claimed: ClaimedSession, claimedAt: number): void {
    const known = this.#held.get(claimed.id);
    // The answer to a repeated claim.
    if (known?.session.fencingToken === claimed.fencing_token) return;
    // Its lease was lost and it comes back: the old browser goes first.
    if (known) this.endLost([claimed.id]);
    const { outbox, clock, host, warm, isHostUp } = this.#options;
    outbox.put({
      session_id: claimed.id,
      fencing_token: claimed.fencing_token,
      status: "starting",
    });
    this.#hold(
      claimed.id,
      {
        trustedUntil: calculateTrustedUntil(claimedAt, claimed.lease_ttl_ms),
        expiresAt: Infinity,
        isRunning: false,
      },
      () =>
        HeldSession.start(claimed, {
          host,
          warm,
          clock,
          isHostUp,
          onReport: this.#report,
          after: known?.session.ended,
        }),
    );
  }

  /** Goes on with the browsers that still run and that the server counts as this worker's. Of the others, what had run has crashed, what had not is given back. */
  adopt(
    browsers: readonly RunningBrowser[],
    held: readonly HeldSessionWire[],
    until: number,
  ): void {
    for (const { session_id, fencing_token, status } of held) {
      const browser = browsers.find(({ sessionId }) =>
        sessionId === session_id
      );
      if (browser) {
        log.info("Adopted the browser of session {session_id}", { session_id });
        this.#hold(
          session_id,
          {
            trustedUntil: until,
            expiresAt: Infinity,
            isRunning: status === "running",
          },
          () =>
            HeldSession.adopt(browser, fencing_token, {
              clock: this.#options.clock,
              isHostUp: this.#options.isHostUp,
              onReport: this.#report,
            }),
        );
      } else {
        this.#report({
          session_id,
          fencing_token,
          status: status === "running" ? "crashed" : "released",
          status_reason: "the browser was gone when its worker came back",
        });
      }
    }
  }

  /** Obeys an order; one for a session that is gone is answered with its end. */
  stop(command: StopCommand): void {
    const held = this.#held.get(command.session_id);
    if (held?.session.fencingToken === command.fencing_token) {
      held.session.stop(command);
    } else if (held) {
      // One of the two is no longer the server's: the next report tells which.
      this.#options.onChange();
    } else {
      this.#report({
        session_id: command.session_id,
        fencing_token: command.fencing_token,
        status: command.status,
        status_reason: command.reason,
      });
    }
  }

  /** Ends sessions that belong to another by now. */
  endLost(sessionIds: readonly string[]): void {
    for (const id of sessionIds) {
      const held = this.#held.get(id);
      if (!held) continue;
      log.warn("Lease of session {session_id} lost, its browser is ended", {
        session_id: id,
      });
      held.session.release({
        status: "terminated",
        reason: "its lease was lost",
        force: true,
      });
    }
  }

  /** Counts the leases of sessions whose reports were accepted as renewed. */
  renew(
    sent: readonly Report[],
    results: readonly ReportResult[],
    until: number,
  ): void {
    const now = this.#options.clock.monotonic();
    const answers = new Map(results.map((each) => [each.session_id, each]));
    for (const { session_id, fencing_token, status } of sent) {
      const held = this.#held.get(session_id);
      const answer = answers.get(session_id);
      if (answer?.result !== "accepted") continue;
      // Claimed again since it was sent: the answer is about the old lease.
      if (held?.session.fencingToken !== fencing_token) continue;
      held.lease.trustedUntil = until;
      held.lease.isRunning ||= status === "running";
      const { expires_in_ms } = answer;
      if (expires_in_ms !== undefined) {
        held.lease.expiresAt = now + expires_in_ms;
      }
    }
  }

  /** Ends what the server may have given up, and what is past its life although no order has come. */
  endOverdue(): void {
    const now = this.#options.clock.monotonic();
    const graceMs = this.#options.graceMs();
    for (const { session, lease } of this.#held.values()) {
      if (session.isEnding) continue;
      if (isLost(lease, now, graceMs)) {
        log.warn("Session {session_id} is given up: no word from the server", {
          session_id: session.id,
        });
        session.release({
          status: lease.isRunning ? "crashed" : "released",
          reason: "its worker could not reach the server",
          force: true,
        });
      } else if (isPastLifetime(lease, now)) {
        const reason = "its maximum lifetime passed";
        session.stop({ status: "expired", reason, force: false });
      }
    }
  }

  /** A new measurement of a session's browser, if there is one. */
  takeStats(sessionId: string): BrowserStats | undefined {
    const held = this.#held.get(sessionId);
    return held?.session.browser && held.meter.take(held.session.browser);
  }

  /** Begins to end every session; what has not started is given back. `killed`: the browsers are not asked. */
  releaseAll(reason: string, how: "asked" | "killed"): void {
    const force = how === "killed";
    for (const { session } of this.#held.values()) {
      const status = session.browser ? "terminated" : "released";
      session.release({ status, reason, force });
    }
  }

  /** As {@linkcode releaseAll}; resolves when nothing is left of them. */
  async endAll(reason: string, how: "asked" | "killed"): Promise<void> {
    this.releaseAll(reason, how);
    await Promise.all(
      [...this.#held.values()].map(({ session }) => session.ended),
    );
  }

  /** Counts it as held before `begin` starts anything, so that no sweep takes it for a leftover. */
  #hold(id: string, lease: Lease, begin: () => HeldSession): void {
    this.#ids.add(id);
    const session = begin();
    this.#held.set(id, {
      session,
      lease,
      meter: new BrowserMeter(this.#options.clock),
    });
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
      this.#options.onChange();
    });
  }

  readonly #report = (report: Report): void => {
    this.#options.outbox.put(report);
    this.#options.onChange();
  };
}
