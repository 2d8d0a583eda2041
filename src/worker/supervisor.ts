import type {
  ClaimedSession,
  HeldSessionWire,
  ReportResult,
  StopCommand,
} from "../client/client.ts";
import { createLogger } from "../core/log.ts";
import type { RunningBrowser } from "../core/provider.ts";
import type { Tracer } from "../core/trace/tracer.ts";
import { HeldSession } from "./held_session.ts";
import { calculateTrustedUntil, Lease } from "./lease.ts";
import { SupervisedSession } from "./supervised_session.ts";
import type { Outbox } from "./outbox.ts";
import type { Observe } from "./observer/observers.ts";
import type { Report } from "./report.ts";
import type { BrowserSource } from "./start_browser.ts";
import type { BrowserAddress } from "./tunnel/stream.ts";

const log = createLogger("worker", "supervisor");

/** Options of a {@linkcode Supervisor}. */
export interface SupervisorOptions extends BrowserSource {
  readonly outbox: Outbox;
  /** Records the spans of starts. */
  readonly tracer?: Tracer | undefined;
  readonly capacity: number;
  /** Returns the time that is added to the leases of running sessions now. */
  readonly graceMs: () => number;
  readonly isHostUp: () => Promise<boolean>;
  /** Observes browsers for webhooks. */
  readonly observe?: Observe | undefined;
  /** Sends the rest of a session's output to the clients that follow it. */
  readonly finishLogs?: (sessionId: string) => Promise<void>;
  /** Called if there is a report to send, or room again. */
  readonly onChange: () => void;
}

/** The sessions that a worker holds. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #entries = new Map<string, SupervisedSession>();
  readonly #ids = new Set<string>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Ids of the held sessions; a live view. */
  get heldIds(): ReadonlySet<string> {
    return this.#ids;
  }

  /** Ids of the sessions that are ending or whose end is not yet acknowledged. They need no further command. */
  get endingIds(): readonly string[] {
    const ending = this.#sessions.filter(({ isEnding }) => isEnding);
    return [...ending.map(({ id }) => id), ...this.#options.outbox.endedIds];
  }

  /** Number of held sessions. */
  get size(): number {
    return this.#entries.size;
  }

  /** True if a session is waiting for its browser. */
  get isStarting(): boolean {
    return this.#sessions.some(({ browser, isEnding }) =>
      !browser && !isEnding
    );
  }

  /** Number of sessions that the worker may still claim. */
  get room(): number {
    return Math.max(0, this.#options.capacity - this.size);
  }

  /** The browsers of the held sessions. */
  get browsers(): readonly RunningBrowser[] {
    return this.#sessions.flatMap(({ browser }) => browser ?? []);
  }

  /** Returns the address of a session's browser; undefined if none is running here. */
  findAddress(sessionId: string): BrowserAddress | undefined {
    return this.#entries.get(sessionId)?.session.browser;
  }

  /** Returns the browser of a session; undefined if none runs here under this token. */
  findBrowser(
    sessionId: string,
    fencingToken: number,
  ): RunningBrowser | undefined {
    const session = this.#entries.get(sessionId)?.session;
    return session?.fencingToken === fencingToken ? session.browser : undefined;
  }

  /** Starts the browser of a claimed session. @param claimedAt Earliest moment of the claim, on the monotonic clock. */
  start(claimed: ClaimedSession, claimedAt: number): void {
    const { id, fencing_token } = claimed;
    const known = this.#entries.get(id);
    // A repeated claim.
    if (known?.session.fencingToken === fencing_token) return;
    // Claimed again after its lease was lost: the old browser ends first.
    if (known) this.endLost([id]);
    const { outbox } = this.#options;
    outbox.put({ session_id: id, fencing_token, status: "starting" });
    const lease = new Lease({
      trustedUntil: calculateTrustedUntil(claimedAt, claimed.lease_ttl_ms),
      isRunning: false,
    });
    this.#hold(id, lease, () =>
      HeldSession.start(claimed, {
        ...this.#options,
        onReport: this.#report,
        after: known?.session.ended,
      }));
  }

  /**
   * Continues the sessions that the server has assigned to this worker and whose browsers are running. The others have
   * crashed if they were running, and are released if not.
   */
  adopt(
    browsers: readonly RunningBrowser[],
    held: readonly HeldSessionWire[],
    trustedUntil: number,
  ): void {
    for (const { session_id, fencing_token, status } of held) {
      const isRunning = status === "running";
      const browser = browsers.find(({ sessionId }) =>
        sessionId === session_id
      );
      if (!browser) {
        this.#report({
          session_id,
          fencing_token,
          status: isRunning ? "crashed" : "released",
          status_reason: "the browser was gone when its worker came back",
        });
        continue;
      }
      log.info("Adopted the browser of session {session_id}", { session_id });
      const lease = new Lease({ trustedUntil, isRunning });
      this.#hold(
        session_id,
        lease,
        () =>
          HeldSession.adopt(browser, fencing_token, {
            ...this.#options,
            onReport: this.#report,
          }),
      );
    }
  }

  /** Executes a command to stop a session. If the session is not held, its end is reported as commanded. */
  stop({ session_id, fencing_token, ...end }: StopCommand): void {
    const session = this.#entries.get(session_id)?.session;
    if (session?.fencingToken === fencing_token) session.end(end);
    else if (session) {
      // Either the command or the session is outdated: the result of the next report decides.
      this.#options.onChange();
    } else {
      this.#report({
        session_id,
        fencing_token,
        status: end.status,
        status_reason: end.reason,
      });
    }
  }

  /** Ends sessions whose lease is lost. */
  endLost(sessionIds: readonly string[]): void {
    for (const id of sessionIds) {
      const session = this.#entries.get(id)?.session;
      if (!session) continue;
      log.warn("Lease of session {session_id} lost, ending its browser", {
        session_id: id,
      });
      session.end({
        status: "terminated",
        reason: "its lease was lost",
        force: true,
      });
    }
  }

  /** Renews the leases of the sessions whose reports were accepted. */
  renew(
    sent: readonly Report[],
    results: readonly ReportResult[],
    trustedUntil: number,
  ): void {
    const now = this.#options.clock.monotonic();
    const byId = new Map(results.map((each) => [each.session_id, each]));
    for (const { session_id, fencing_token, status } of sent) {
      const entry = this.#entries.get(session_id);
      const result = byId.get(session_id);
      if (result?.result !== "accepted") continue;
      // Claimed again since the request: the result is about the old lease.
      if (entry?.session.fencingToken !== fencing_token) continue;
      const { expires_in_ms } = result;
      entry.lease.renew({
        trustedUntil,
        isRunning: status === "running",
        expiresAt: expires_in_ms === undefined
          ? undefined
          : now + expires_in_ms,
      });
    }
  }

  /** Ends the sessions whose lease is no longer trusted, and those past their lifetime without a command. */
  endOverdue(): void {
    const now = this.#options.clock.monotonic();
    const graceMs = this.#options.graceMs();
    for (const entry of this.#entries.values()) {
      entry.endIfOverdue(now, graceMs);
    }
  }

  /** Begins to end every session; those without a browser are requeued. With `force`, browsers are killed. */
  releaseAll(end: { readonly reason: string; readonly force: boolean }): void {
    for (const session of this.#sessions) {
      const status = session.browser ? "terminated" : "released";
      session.end({ status, ...end });
    }
  }

  /** Like {@linkcode releaseAll}, and resolves when nothing of the sessions remains. */
  async endAll(
    end: { readonly reason: string; readonly force: boolean },
  ): Promise<void> {
    this.releaseAll(end);
    await Promise.all(this.#sessions.map(({ ended }) => ended));
  }

  get #sessions(): readonly HeldSession[] {
    return [...this.#entries.values()].map(({ session }) => session);
  }

  /** Holds a session. Its id is held before `begin` starts anything, so that no sweep ends its browser. */
  #hold(id: string, lease: Lease, begin: () => HeldSession): void {
    this.#ids.add(id);
    const session = begin();
    this.#entries.set(id, new SupervisedSession({ session, lease }));
    void session.ended.catch((error: unknown) =>
      log.error("Session {session_id} failed to end: {error}", {
        session_id: id,
        error,
      })
    ).finally(() => {
      // The session may have been claimed again.
      if (this.#entries.get(id)?.session !== session) return;
      this.#entries.delete(id);
      this.#ids.delete(id);
      this.#options.onChange();
    });
  }

  readonly #report = (report: Report): void => {
    this.#options.outbox.put(report);
    this.#options.onChange();
  };
}
