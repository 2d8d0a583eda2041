import type { SimpleDriver } from "./simple_driver.ts";
import {
  attachBrowser,
  endBrowser,
  findAddress,
  SILENCE_MS,
  toExitReport,
  waitUntilReady,
} from "./attached_browser.ts";
import type {
  BrowserExit,
  BrowserHost,
  CheckResult,
  RunningBrowser,
} from "../../core/provider.ts";
import type { BrowserSpec } from "../../core/browser_spec.ts";

/** Longest time from a browser's start to its first answer, if the session's own limit is not shorter. */
const START_MS = 120_000;

/** Said of a provider that has no check. */
const UNCHECKED: CheckResult = {
  name: "start",
  status: "warn",
  detail: "Not checked: this provider tells nothing before its first start",
};

/**
 * Makes a host: waits until browsers answer, watches them, asks them to close before they are ended by force, and takes
 * over or ends what an earlier process left.
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
      const left = ids.filter((id) => !keep.has(id));
      await Promise.all(left.map((id) => endBrowser(driver, id)));
      return left;
    },
    [Symbol.asyncDispose]() {
      closing.abort(new Error("The host is closed"));
      return Promise.resolve();
    },
  };
}

interface Start {
  readonly spec: BrowserSpec;
  readonly sessionId: string;
  readonly signal: AbortSignal;
  readonly closing: AbortSignal;
}

async function start(
  driver: SimpleDriver,
  { spec, sessionId, signal, closing }: Start,
): Promise<RunningBrowser> {
  signal.throwIfAborted();
  const gone = new AbortController();
  let exitReport: Promise<BrowserExit> | undefined;
  try {
    exitReport = toExitReport(await driver.start(spec, sessionId, signal));
    void exitReport?.then(({ detail }) =>
      gone.abort(new Error(`the browser ended: ${detail}`))
    );
    const ready = await waitUntilReady(driver, sessionId, {
      waitMs: START_MS,
      signal: AbortSignal.any([signal, gone.signal]),
    });
    return attachBrowser(driver, ready, { exitReport, closing });
  } catch (error) {
    await endBrowser(driver, sessionId, exitReport);
    throw error;
  }
}

/** Nothing, if it does not answer: the sweep ends it then. */
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
