import { createLogger } from "../core/log.ts";
import type { HeldSession } from "./held_session.ts";
import type { Lease } from "./lease.ts";

const log = createLogger("worker", "supervised_session");

/** A held session with its lease. */
export class SupervisedSession {
  readonly session: HeldSession;
  readonly lease: Lease;

  constructor(
    { session, lease }: {
      readonly session: HeldSession;
      readonly lease: Lease;
    },
  ) {
    this.session = session;
    this.lease = lease;
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
}
