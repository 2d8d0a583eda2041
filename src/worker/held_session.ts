import type {
  ClaimedSession,
  SessionReport,
  StopCommand,
} from "../client/client.ts";
import { type BrowserSpec, parseMemory } from "../core/browser_spec.ts";
import { logOf } from "../core/log.ts";
import type {
  BrowserExit,
  BrowserHost,
  RunningBrowser,
} from "../core/provider.ts";

const log = logOf("worker", "session");

/** How long a browser that is asked to close may take. */
const STOP_GRACE_MS = 5_000;

/** Longest text of a failure that is reported. */
const MAX_REASON = 8_000;

/** Longest tail of a browser's output that is reported. */
const MAX_LOGS = 32_000;

type FinalStatus = Exclude<SessionReport["status"], "starting" | "running">;

/** What is to be said to the server of a session, in full; a later report replaces an earlier one. */
export type Report = Omit<SessionReport, "metrics">;

/** How {@linkcode HeldSession.start} starts. */
export interface StartOptions {
  readonly onReport: (report: Report) => void;
  /** What must have ended before: the same session under an older lease. */
  readonly after?: Promise<void> | undefined;
}

/**
 * One session from its claim to its end.
 *
 * It ends its browser on every path: by order, when the lease is lost, when the worker leaves. `ended` resolves when
 * nothing of it is left.
 */
export class HeldSession {
  readonly id: string;
  readonly fencingToken: number;
  readonly ended: Promise<void>;
  readonly #stop = new AbortController();
  readonly #onReport: (report: Report) => void;
  #order: { readonly status: FinalStatus; readonly reason: string } | undefined;
  #graceMs = STOP_GRACE_MS;
  #browser: RunningBrowser | undefined;

  private constructor(
    id: string,
    fencingToken: number,
    onReport: (report: Report) => void,
    run: (held: HeldSession) => Promise<void>,
  ) {
    this.id = id;
    this.fencingToken = fencingToken;
    this.#onReport = onReport;
    this.ended = run(this);
  }

  /** Starts the browser of a claimed session. */
  static start(
    claimed: ClaimedSession,
    host: BrowserHost,
    { onReport, after }: StartOptions,
  ): HeldSession {
    return new HeldSession(
      claimed.id,
      claimed.fencing_token,
      onReport,
      (held) => held.#run(claimed, host, after),
    );
  }

  /** Goes on with a browser that an earlier process of this worker started. */
  static adopt(
    browser: RunningBrowser,
    fencingToken: number,
    onReport: (report: Report) => void,
  ): HeldSession {
    return new HeldSession(
      browser.sessionId,
      fencingToken,
      onReport,
      (held) => held.#watch(browser),
    );
  }

  /** The browser, once it runs. */
  get browser(): RunningBrowser | undefined {
    return this.#browser;
  }

  /** Ends it as ordered; the first order counts, a forced one hurries. */
  obey(
    { status, reason, force }: Omit<
      StopCommand,
      "type" | "session_id" | "fencing_token"
    >,
  ): void {
    this.#order ??= { status, reason };
    if (force) this.#graceMs = 0;
    this.#stop.abort();
  }

  async #run(
    claimed: ClaimedSession,
    host: BrowserHost,
    after?: Promise<void>,
  ): Promise<void> {
    await after?.catch(() => {});
    const signal = AbortSignal.any([
      this.#stop.signal,
      AbortSignal.timeout(claimed.start_timeout_ms),
    ]);
    try {
      log.info("Starting a browser for session {session_id}", {
        session_id: this.id,
      });
      const browser = await host.start(specOf(claimed), this.id, signal);
      await this.#watch(browser);
    } catch (error) {
      if (this.#order) return this.#report(this.#order);
      const reason = signal.aborted
        ? `the browser did not start within ${
          claimed.start_timeout_ms / 1_000
        } s`
        : withoutSecrets(textOf(error), claimed);
      log.warn("Cannot start a browser for session {session_id}: {reason}", {
        session_id: this.id,
        reason,
      });
      this.#report({ status: "failed", reason });
    }
  }

  async #watch(browser: RunningBrowser): Promise<void> {
    this.#browser = browser;
    log.info("A browser runs for session {session_id}", {
      session_id: this.id,
    });
    this.#onReport({
      ...this.#base("running"),
      endpoint: browser.endpoint.href,
      details: { ...browser.details },
      ...(browser.details.container_id === undefined
        ? {}
        : { container_id: browser.details.container_id }),
    });
    const exit = await Promise.race([
      browser.exited,
      aborted(this.#stop.signal),
    ]);
    const logs = await tailOf(browser);
    // Also after an exit by itself: its container and profile are still there.
    await browser.stop(this.#graceMs);
    const end = this.#order ?? endOf(exit);
    log.info("Session {session_id} has ended: {status}, {reason}", {
      session_id: this.id,
      ...end,
    });
    this.#report(end, logs);
  }

  #report(
    { status, reason }: {
      readonly status: FinalStatus;
      readonly reason: string;
    },
    logs = "",
  ): void {
    this.#onReport({
      ...this.#base(status),
      status_reason: reason.slice(0, MAX_REASON),
      ...(logs === "" ? {} : { logs }),
    });
  }

  #base(status: SessionReport["status"]) {
    return { session_id: this.id, fencing_token: this.fencingToken, status };
  }
}

function endOf(exit: BrowserExit | undefined) {
  return exit?.reason === "stopped"
    ? { status: "completed" as const, reason: exit.detail }
    : {
      status: "crashed" as const,
      reason: exit?.detail ?? "the browser died",
    };
}

async function tailOf(browser: RunningBrowser): Promise<string> {
  const text = await browser.logs?.(200).catch(() => "");
  return (text ?? "").slice(-MAX_LOGS);
}

/** What the claimed session's browser must be like. */
function specOf(claimed: ClaimedSession): BrowserSpec {
  const { cpu, memory } = claimed.resource_limits;
  const memoryBytes = memory === undefined ? undefined : parseMemory(memory);
  return {
    browser: claimed.browser,
    version: claimed.version,
    headless: claimed.headless,
    screen: claimed.screen,
    environment: claimed.environment,
    ...(claimed.proxy === null ? {} : { proxy: claimed.proxy }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The text with every secret of the session blotted out: a browser's output may have them. */
function withoutSecrets(text: string, claimed: ClaimedSession): string {
  const secrets = [
    claimed.proxy?.proxy_password ?? "",
    ...Object.values(claimed.environment),
  ].filter((secret) => secret.length > 2);
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, "…"), text);
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
