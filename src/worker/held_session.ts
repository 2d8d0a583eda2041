import type {
  ClaimedSession,
  SessionReport,
  StopCommand,
} from "../client/client.ts";
import { aborted } from "../async/abortable.ts";
import { type Clock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import { createLogger, toMessage } from "../core/log.ts";
import type { BrowserExit, RunningBrowser } from "../core/provider.ts";
import { redactSecrets } from "./claimed_session.ts";
import { waitForEnd } from "./liveness.ts";
import { type BrowserSource, startBrowser } from "./start_browser.ts";

const log = createLogger("worker", "session");

/** How long a browser that is asked to close may take. */
const STOP_GRACE_MS = 5_000;

/** Longest text of a failure that is reported. */
const MAX_REASON = 8_000;

/** Longest wait for a browser's output. */
const LOGS_TIMEOUT_MS = 1_000;

/** Longest tail of a browser's output that is reported. */
const MAX_LOGS = 32_000;

type FinalStatus = Exclude<SessionReport["status"], "starting" | "running">;

/** How a session ended. */
interface SessionEnd {
  readonly status: FinalStatus;
  readonly reason: string;
}

/** What is to be said to the server of a session, in full; a later report replaces an earlier one. */
export type Report = Omit<SessionReport, "metrics">;

/** How {@linkcode HeldSession.start} starts. */
export interface HeldSessionOptions extends BrowserSource {
  readonly onReport: (report: Report) => void;
  /** Whether the host answers at all: if not, a start that failed is no fault of the session. */
  readonly isHostUp: () => Promise<boolean>;
  /** What must have ended before: the same session under an older lease. */
  readonly after?: Promise<void> | undefined;
}

/** Resources of a session while its browser runs. */
type WatchOptions = Pick<HeldSessionOptions, "onReport" | "clock" | "isHostUp">;

/**
 * One session from its claim to its end.
 *
 * It ends its browser on every path: by order, when the lease is lost, when the worker leaves. `ended` resolves when
 * nothing of it is left, or what is left is the host's to end.
 */
export class HeldSession {
  readonly id: string;
  readonly fencingToken: number;
  readonly ended: Promise<void>;
  readonly #stop = new AbortController();
  readonly #onReport: (report: Report) => void;
  readonly #clock: Clock;
  readonly #isHostUp: () => Promise<boolean>;
  #order: SessionEnd | undefined;
  #graceMs = STOP_GRACE_MS;
  #browser: RunningBrowser | undefined;
  #stopping = false;

  private constructor(
    id: string,
    fencingToken: number,
    { onReport, clock, isHostUp }: WatchOptions,
    run: (held: HeldSession) => Promise<void>,
  ) {
    this.id = id;
    this.fencingToken = fencingToken;
    this.#onReport = onReport;
    this.#clock = clock;
    this.#isHostUp = isHostUp;
    this.ended = run(this);
  }

  /** Starts the browser of a claimed session. */
  static start(
    claimed: ClaimedSession,
    options: HeldSessionOptions,
  ): HeldSession {
    return new HeldSession(
      claimed.id,
      claimed.fencing_token,
      options,
      (held) => held.#run(claimed, options),
    );
  }

  /** Goes on with a browser that an earlier process of this worker started. */
  static adopt(
    browser: RunningBrowser,
    fencingToken: number,
    options: WatchOptions,
  ): HeldSession {
    return new HeldSession(
      browser.sessionId,
      fencingToken,
      options,
      (held) => held.#watch(browser),
    );
  }

  /** The browser, once it runs. */
  get browser(): RunningBrowser | undefined {
    return this.#browser;
  }

  /** Whether it was told to end. */
  get isEnding(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Ends it as ordered; the first order counts, a forced one hurries. */
  stop(
    { status, reason, force }: Omit<
      StopCommand,
      "type" | "session_id" | "fencing_token"
    >,
  ): void {
    this.#end({ status, reason }, force);
  }

  /** Gives it up. As `released`, another worker may still start it. */
  release(
    { status, reason, force }: {
      readonly status: "crashed" | "terminated" | "released";
      readonly reason: string;
      readonly force: boolean;
    },
  ): void {
    this.#end({ status, reason }, force);
  }

  #end(end: SessionEnd, force: boolean): void {
    this.#order ??= end;
    this.#stop.abort();
    if (!force || this.#graceMs === 0) return;
    this.#graceMs = 0;
    // Hurries a stop that is under way.
    if (this.#stopping) void this.#browser?.stop(0).catch(() => {});
  }

  async #run(
    claimed: ClaimedSession,
    options: HeldSessionOptions,
  ): Promise<void> {
    // A browser that is kept ready is the session's from the moment it is claimed.
    if (options.after) await options.after.catch(() => {});
    try {
      log.info("Starting a browser for session {session_id}", {
        session_id: this.id,
      });
      const signal = this.#stop.signal;
      const { browser, isWarm } = await startBrowser(claimed, options, signal);
      await this.#watch(browser, isWarm ? { warm: true } : {});
    } catch (error) {
      const end = this.#order ?? {
        reason: redactSecrets(toMessage(error), claimed),
        status: await options.isHostUp() ? "failed" : "released",
      };
      log.warn("Session {session_id} did not start: {reason}", {
        session_id: this.id,
        ...end,
      });
      this.#report(end);
    }
  }

  /** Never rejects. */
  async #watch(
    browser: RunningBrowser,
    how: Pick<SessionReport, "warm"> = {},
  ): Promise<void> {
    this.#browser = browser;
    log.info("A browser runs for session {session_id}", {
      session_id: this.id,
    });
    this.#onReport({
      ...this.#base("running"),
      endpoint: browser.endpoint.href,
      details: { ...browser.details },
      ...how,
      ...(browser.details.container_id === undefined
        ? {}
        : { container_id: browser.details.container_id }),
    });
    const end = await waitForEnd(browser, {
      clock: this.#clock,
      isHostUp: this.#isHostUp,
      signal: this.#stop.signal,
    });
    const exit = end?.exit;
    // A hanging browser would not process the request to close.
    if (end?.hangs) this.#graceMs = 0;
    const logs = await readLogTail(browser, this.#clock);
    // Of an end by itself everybody is told at once; of an ordered one when it is done.
    if (exit) this.#report(this.#order ?? toSessionEnd(exit), logs);
    await this.#dispose(browser);
    if (!exit) this.#report(this.#order ?? BROWSER_DIED, logs);
  }

  /** Also after an exit by itself: its container and profile are still there. */
  async #dispose(browser: RunningBrowser): Promise<void> {
    this.#stopping = true;
    try {
      await browser.stop(this.#graceMs);
    } catch (error) {
      log.warn("What is left of session {session_id} is ended later: {error}", {
        session_id: this.id,
        error,
      });
    }
  }

  #report({ status, reason }: SessionEnd, logs = ""): void {
    log.info("Session {session_id} has ended: {status}, {reason}", {
      session_id: this.id,
      status,
      reason,
    });
    this.#onReport({
      ...this.#base(status),
      status_reason: reason.slice(0, MAX_REASON).toWellFormed(),
      ...(logs === "" ? {} : { logs }),
    });
  }

  #base(status: SessionReport["status"]) {
    return { session_id: this.id, fencing_token: this.fencingToken, status };
  }
}

const BROWSER_DIED: SessionEnd = {
  status: "crashed",
  reason: "the browser died",
};

function toSessionEnd({ reason, detail }: BrowserExit): SessionEnd {
  const status = reason === "stopped" ? "completed" : "crashed";
  return { status, reason: detail };
}

/** An engine that hangs must not keep the end from being told. */
async function readLogTail(
  browser: RunningBrowser,
  clock: Clock,
): Promise<string> {
  using patience = deadline(clock, LOGS_TIMEOUT_MS);
  try {
    const text = await Promise.race([
      browser.logs?.(200),
      aborted(patience.signal),
    ]);
    // A character may have been cut in two.
    return (text ?? "").slice(-MAX_LOGS).toWellFormed();
  } catch {
    return "";
  }
}
