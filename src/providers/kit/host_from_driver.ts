import type { BrowserSpec } from "../../core/browser_spec.ts";
import type {
  BrowserExit,
  BrowserHost,
  CheckResult,
  RunningBrowser,
} from "../../core/provider.ts";
import {
  attachBrowser,
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
 *
 * Returns a plain object, which a plugin can extend by spreading it.
 */
export function hostFromDriver(driver: SimpleDriver): BrowserHost {
  const closing = new AbortController();
  return {
    start: (spec, sessionId, signal) =>
      start(driver, { spec, sessionId, signal, closing: closing.signal }),
    check: () => driver.check?.() ?? Promise.resolve([UNCHECKED]),
    async adopt() {
      const ids = await driver.list();
      const adopted = ids.map((id) => adopt(driver, id, closing.signal));
      return (await Promise.all(adopted)).flat();
    },
    async sweep(keep) {
      const ids = await driver.list();
      const swept = ids.filter((id) => !keep.has(id));
      await Promise.all(swept.map((id) => endBrowser(driver, id)));
      return swept;
    },
    [Symbol.asyncDispose]() {
      closing.abort(new Error("The host is closed"));
      return Promise.resolve();
    },
  };
}

interface StartRequest {
  readonly spec: BrowserSpec;
  readonly sessionId: string;
  readonly signal: AbortSignal;
  readonly closing: AbortSignal;
}

async function start(
  driver: SimpleDriver,
  { spec, sessionId, signal, closing }: StartRequest,
): Promise<RunningBrowser> {
  signal.throwIfAborted();
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
    return attachBrowser(driver, ready, { exitReport, closing });
  } catch (error) {
    await endBrowser(driver, sessionId, exitReport);
    throw error;
  }
}

/** Returns nothing for a browser that does not respond, which the sweep then ends. */
async function adopt(
  driver: SimpleDriver,
  sessionId: string,
  closing: AbortSignal,
): Promise<readonly RunningBrowser[]> {
  if (!await findAddress(driver, sessionId)) return [];
  try {
    const options = { waitMs: SILENCE_MS, signal: closing };
    const ready = await waitUntilReady(driver, sessionId, options);
    return [attachBrowser(driver, ready, { closing })];
  } catch {
    return [];
  }
}
