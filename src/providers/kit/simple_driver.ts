import type { BrowserSpec } from "../../core/browser_spec.ts";
import type { BrowserExit, CheckResult } from "../../core/provider.ts";

/** What can tell when a browser is gone and why. */
export interface StartedBrowser {
  readonly exited: Promise<BrowserExit>;
}

/** The few things that differ from one infrastructure to the next. {@linkcode hostOf} makes a whole host of them. */
export interface SimpleDriver {
  /**
   * Sets a browser going, and need not wait until it answers. What is left of a start that fails is ended.
   *
   * Returns what tells when it is gone, such as its process. Without that it is gone when it hangs up and stays silent.
   */
  start(
    spec: BrowserSpec,
    sessionId: string,
    signal: AbortSignal,
  ): Promise<StartedBrowser | Deno.ChildProcess | void>;
  /** Where a session's browser answers CDP, `http://host:port`; fails, or finds nothing, as long as that is not known. */
  find(sessionId: string): Promise<string | undefined>;
  /** Sessions of this worker of which anything is there, also what an earlier process of it has started. */
  list(): Promise<readonly string[]>;
  /**
   * Ends a browser by force, and resolves when nothing of it is left; one that has been asked to close is tidied away.
   * One that is not there is no error, and neither is `NotFound`. What fails is tried again a few times.
   */
  end(sessionId: string): Promise<void>;
  /** Whether a browser could be started. */
  check?(): Promise<readonly CheckResult[]>;
}
