import { aborted } from "../async/abortable.ts";
import type { Clock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import type {
  ClaimedSession,
  Observation,
  SessionReport,
} from "../client/client.ts";
import { createLogger, toMessage } from "../core/log.ts";
import type { RunningBrowser } from "../core/provider.ts";
import type { Tracer } from "../core/trace/tracer.ts";
import { redactSecrets } from "./claimed_session.ts";
import { waitForEnd } from "./liveness.ts";
import type { Observe } from "./observer/observers.ts";
import {
  createEndReport,
  createRunningReport,
  type Report,
  type SessionEnd,
  toSessionEnd,
} from "./report.ts";
import { StartSpan } from "./start_span.ts";
import { type BrowserSource, startBrowser } from "./start_browser.ts";

const log = createLogger("worker", "session");

/** Time that a browser may take to close before it is killed. */
const STOP_GRACE_MS = 5_000;

/** Timeout of the request for a browser's output. */
const LOGS_TIMEOUT_MS = 1_000;

/** Maximum length of the reported end of a browser's output. */
const MAX_LOGS = 32_000;

/** Options of a session with a running browser. */
export interface HeldSessionContext {
  readonly clock: Clock;
  /** Returns true if the host responds. If not, a failed start is not the session's fault and the session is requeued. */
  readonly isHostUp: () => Promise<boolean>;
  readonly onReport: (report: Report) => void;
  /** Observes the browser for webhooks. */
  readonly observe?: Observe | undefined;
  /** Sends the rest of the output to the clients that follow it, for a second at most. Called before the browser is removed. */
  readonly finishLogs?: (sessionId: string) => Promise<void>;
}

/** Options of {@linkcode HeldSession.start}. */
export interface HeldSessionOptions extends HeldSessionContext, BrowserSource {
  /** Records the span of the start. */
  readonly tracer?: Tracer | undefined;
  /** End of the same session under an older lease, which the start waits for. */
  readonly after?: Promise<void> | undefined;
}

/**
 * One session from its claim to its end.
 *
 * Its browser is ended on every path: by command, when the lease is lost, when the worker leaves. `ended` resolves when
 * nothing of the browser remains, or when the remains are left to the host's sweep.
 */
export class HeldSession {
  readonly id: string;
  readonly fencingToken: number;
  readonly ended: Promise<void>;
  readonly #options: HeldSessionContext;
  readonly #stop = new AbortController();
  /** The first requested end. */
  #requested: SessionEnd | undefined;
  #graceMs = STOP_GRACE_MS;
  #browser: RunningBrowser | undefined;
  #isStopping = false;

  private constructor(
    { id, fencingToken, options }: {
      readonly id: string;
      readonly fencingToken: number;
      readonly options: HeldSessionContext;
    },
    run: (session: HeldSession) => Promise<void>,
  ) {
    this.id = id;
    this.fencingToken = fencingToken;
    this.#options = options;
    this.ended = run(this);
  }

  /** Starts the browser of a claimed session. */
  static start(
    claimed: ClaimedSession,
    options: HeldSessionOptions,
  ): HeldSession {
    const { id, fencing_token: fencingToken } = claimed;
    return new HeldSession(
      { id, fencingToken, options },
      (session) => session.#run(claimed, options),
    );
  }

  /** Continues a session with the browser that an earlier process of this worker started. */
  static adopt(
    browser: RunningBrowser,
    fencingToken: number,
    options: HeldSessionContext,
  ): HeldSession {
    return new HeldSession(
      { id: browser.sessionId, fencingToken, options },
      (session) => session.#watch(browser),
    );
  }

  /** The browser, once it runs. */
  get browser(): RunningBrowser | undefined {
    return this.#browser;
  }

  /** True once an end was requested. */
  get isEnding(): boolean {
    return this.#stop.signal.aborted;
  }

  /**
   * Ends the session. The first call decides the reported status and reason; any call with `force` kills the browser. As
   * `released`, the session is requeued.
   */
  end(
    { status, reason, force }: SessionEnd & { readonly force: boolean },
  ): void {
    this.#requested ??= { status, reason };
    this.#stop.abort();
    if (!force || this.#graceMs === 0) return;
    this.#graceMs = 0;
    // Also shortens a stop that has begun.
    if (this.#isStopping) void this.#browser?.stop(0).catch(() => {});
  }

  async #run(
    claimed: ClaimedSession,
    options: HeldSessionOptions,
  ): Promise<void> {
    // Not awaited if undefined: a warm browser is taken in the same turn as the claim.
    if (options.after) await options.after.catch(() => {});
    const span = new StartSpan(claimed, options);
    try {
      log.info("Starting a browser for session {session_id}", {
        session_id: this.id,
      });
      const { signal } = this.#stop;
      const { browser, isWarm } = await startBrowser(claimed, options, signal);
      span.end({ isWarm });
      await this.#watch(
        browser,
        isWarm ? { warm: true } : {},
        claimed.observations,
      );
    } catch (error) {
      const end: SessionEnd = this.#requested ?? {
        reason: redactSecrets(toMessage(error), claimed),
        status: await options.isHostUp() ? "failed" : "released",
      };
      span.end({ end });
      log.warn("Session {session_id} did not start: {reason}", {
        session_id: this.id,
        ...end,
      });
      this.#reportEnd(end);
    }
  }

  /** Never rejects. */
  async #watch(
    browser: RunningBrowser,
    fields: Pick<SessionReport, "warm"> = {},
    observations: readonly Observation[] = [],
  ): Promise<void> {
    const { clock, isHostUp, onReport, observe } = this.#options;
    this.#browser = browser;
    log.info("Browser of session {session_id} is running", {
      session_id: this.id,
    });
    const { signal } = this.#stop;
    const { id: sessionId, fencingToken } = this;
    const observation = observe?.(
      { sessionId, fencingToken },
      browser,
      observations,
    );
    // Else the events of a fast client would be missed. Not awaited if undefined.
    if (observation?.ready) {
      await Promise.race([
        observation.ready,
        browser.exited,
        aborted(signal),
      ]);
    }
    onReport({ ...createRunningReport(this, browser), ...fields });
    const end = await waitForEnd(browser, { clock, isHostUp, signal });
    observation?.[Symbol.dispose]();
    const exit = end?.exit;
    // A hanging browser would not process the request to close.
    if (end?.hangs) this.#graceMs = 0;
    const logs = await readLogTail(browser, clock);
    await this.#options.finishLogs?.(this.id);
    // An exit is reported immediately, a requested end only once the browser is gone.
    if (exit) this.#reportEnd(this.#requested ?? toSessionEnd(exit), logs);
    await this.#remove(browser);
    if (!exit) this.#reportEnd(this.#requested ?? BROWSER_DIED, logs);
  }

  /** Stops the browser and removes its remains, which are also there after an exit. */
  async #remove(browser: RunningBrowser): Promise<void> {
    this.#isStopping = true;
    try {
      await browser.stop(this.#graceMs);
    } catch (error) {
      log.warn(
        "Browser of session {session_id} not removed, left to the sweep: {error}",
        { session_id: this.id, error },
      );
    }
  }

  #reportEnd(end: SessionEnd, logs = ""): void {
    log.info("Session {session_id} ended as {status}: {reason}", {
      session_id: this.id,
      ...end,
    });
    this.#options.onReport(createEndReport(this, { ...end, logs }));
  }
}

const BROWSER_DIED: SessionEnd = {
  status: "crashed",
  reason: "the browser died",
};

/** Returns the end of the browser's output, or "" if the engine does not respond in time. */
async function readLogTail(
  browser: RunningBrowser,
  clock: Clock,
): Promise<string> {
  using timeout = deadline(clock, LOGS_TIMEOUT_MS);
  try {
    const text = await Promise.race([
      browser.logs?.(200),
      aborted(timeout.signal),
    ]);
    // The cut may split a character.
    return (text ?? "").slice(-MAX_LOGS).toWellFormed();
  } catch {
    return "";
  }
}
