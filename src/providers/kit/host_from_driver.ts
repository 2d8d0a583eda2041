import type { BrowserSpec } from "../../core/browser_spec.ts";
import type {
  BrowserExit,
  BrowserHost,
  CheckResult,
  RunningBrowser,
} from "../../core/provider.ts";
import {
  AttachedBrowser,
  endBrowser,
  findAddress,
  SILENCE_MS,
  toExitReport,
  waitUntilReady,
} from "./attached_browser.ts";
import type { SimpleDriver } from "./simple_driver.ts";

/** Maximum time from a browser's start to its first response. The limit of the session may be shorter. */
const START_MS = 120_000;

/** Result for a driver without a check. */
const UNCHECKED: CheckResult = {
  name: "start",
  status: "warn",
  detail: "Not checked: this provider has no check before its first start",
};

/**
 * Builds a host from a driver. The host waits until browsers respond, watches them, asks them to close before it kills
 * them, and adopts or sweeps the browsers of earlier processes.
 */
export function hostFromDriver(driver: SimpleDriver): BrowserHost {
  return new DriverHost(driver);
}

/** A host that starts, lists and ends browsers through a driver. */
class DriverHost implements BrowserHost {
  readonly #driver: SimpleDriver;
  readonly #closing = new AbortController();

  constructor(driver: SimpleDriver) {
    this.#driver = driver;
  }

  async start(
    spec: BrowserSpec,
    sessionId: string,
    signal: AbortSignal,
  ): Promise<RunningBrowser> {
    signal.throwIfAborted();
    const driver = this.#driver;
    const ended = new AbortController();
    let exitReport: Promise<BrowserExit> | undefined;
    try {
      exitReport = toExitReport(await driver.start(spec, sessionId, signal));
      void exitReport?.then(({ detail }) =>
        ended.abort(new Error(`the browser ended: ${detail}`))
      );
      const ready = await waitUntilReady(driver, sessionId, {
        waitMs: START_MS,
        signal: AbortSignal.any([signal, ended.signal]),
      });
      const closing = this.#closing.signal;
      return new AttachedBrowser(driver, ready, { exitReport, closing });
    } catch (error) {
      await endBrowser(driver, sessionId, exitReport);
      throw error;
    }
  }

  check(): Promise<readonly CheckResult[]> {
    return this.#driver.check?.() ?? Promise.resolve([UNCHECKED]);
  }

  async adopt(): Promise<readonly RunningBrowser[]> {
    const ids = await this.#driver.list();
    const adopted = await Promise.all(ids.map((id) => this.#adopt(id)));
    return adopted.filter((browser) => browser !== undefined);
  }

  async sweep(keep: ReadonlySet<string>): Promise<readonly string[]> {
    const ids = await this.#driver.list();
    const swept = ids.filter((id) => !keep.has(id));
    await Promise.all(swept.map((id) => endBrowser(this.#driver, id)));
    return swept;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error("The host is closed"));
    return Promise.resolve();
  }

  /** Returns undefined for a browser that does not respond, which the sweep then ends. */
  async #adopt(sessionId: string): Promise<RunningBrowser | undefined> {
    const driver = this.#driver;
    const closing = this.#closing.signal;
    if (!await findAddress(driver, sessionId)) return undefined;
    try {
      const options = { waitMs: SILENCE_MS, signal: closing };
      const ready = await waitUntilReady(driver, sessionId, options);
      return new AttachedBrowser(driver, ready, { closing });
    } catch {
      return undefined;
    }
  }
}
