import type { Clock } from "../async/clock.ts";
import { createLogger } from "../core/log.ts";
import type { BrowserStats } from "../core/provider.ts";
import type { HeldSession } from "./held_session.ts";
import { BrowserMeter } from "./host/browser_meter.ts";
import type { Lease } from "./lease.ts";

const log = createLogger("worker", "supervised_session");

/** A held session with its lease and the measurements of its browser. */
export class SupervisedSession {
  readonly session: HeldSession;
  readonly lease: Lease;
  readonly #meter: BrowserMeter;

  constructor(
    { session, lease, clock }: {
      readonly session: HeldSession;
      readonly lease: Lease;
      readonly clock: Pick<Clock, "monotonic">;
    },
  ) {
    this.session = session;
    this.lease = lease;
    this.#meter = new BrowserMeter(clock);
  }

  /** Ends the session if its lease is no longer trusted, or if it is past its lifetime and no command has ended it. */
  endIfOverdue(now: number, graceMs: number): void {
    const { session, lease } = this;
    if (session.isEnding) return;
    if (lease.isLost(now, graceMs)) {
      log.warn(
        "Lease of session {session_id} not renewed in time, ending its browser",
        { session_id: session.id },
      );
      session.end({
        status: lease.isRunning ? "crashed" : "released",
        reason: "its worker could not reach the server",
        force: true,
      });
    } else if (lease.isPastLifetime(now)) {
      const reason = "its maximum lifetime passed";
      session.end({ status: "expired", reason, force: false });
    }
  }

  /** Returns the new measurements of the browser, if there are any. */
  takeStats(): BrowserStats | undefined {
    const { browser } = this.session;
    return browser && this.#meter.take(browser);
  }
}
