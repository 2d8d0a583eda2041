import type { BrowserSpec } from "../../core/browser_spec.ts";
import type { BrowserExit, CheckResult } from "../../core/provider.ts";

/** An object that reports the end of a started browser, such as its process. */
export interface ExitReporter {
  readonly exited: Promise<BrowserExit>;
}

/** A started process: the part of `Deno.ChildProcess` that reports its end. */
export interface StartedProcess {
  readonly status: Promise<
    {
      readonly success: boolean;
      readonly code: number;
      readonly signal: string | null;
    }
  >;
}

/** The operations that differ between infrastructures, from which {@linkcode hostFromDriver} builds a complete host. */
export interface SimpleDriver {
  /**
   * Starts a browser. It may resolve before the browser responds. If it fails, {@linkcode end} is called for the
   * session.
   *
   * Returns an object that reports the browser's end, such as its process. Without one, a browser that closes its
   * connection and no longer responds counts as ended.
   */
  start(
    spec: BrowserSpec,
    sessionId: string,
    signal: AbortSignal,
  ): Promise<ExitReporter | StartedProcess | void>;
  /**
   * Returns the address at which the session's browser serves CDP, as `http://host:port`. Rejects, or returns
   * undefined, while the address is not known.
   */
  find(sessionId: string): Promise<string | undefined>;
  /** Returns the sessions of this worker that have any resource left, including those of its earlier processes. */
  list(): Promise<readonly string[]>;
  /**
   * Kills a browser and resolves when no resource of it is left; also called after a browser has closed itself. A
   * missing browser and the error `NotFound` count as success. A failure is retried a few times.
   */
  end(sessionId: string): Promise<void>;
  /** Reports whether a browser could be started. */
  check?(): Promise<readonly CheckResult[]>;
}
