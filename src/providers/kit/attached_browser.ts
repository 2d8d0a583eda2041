/**
 * One browser of a {@linkcode SimpleDriver}: finding its address, waiting for its response, watching and ending it.
 *
 * @module
 */
import { systemClock } from "../../async/clock.ts";
import { settleWithin } from "../../async/settle_within.ts";
import { toMessage } from "../../core/log.ts";
import type { BrowserExit, RunningBrowser } from "../../core/provider.ts";
import { closeBrowser, waitForHangUp } from "./cdp_socket.ts";
import { probeBrowser } from "./probe_browser.ts";
import type {
  ExitReporter,
  SimpleDriver,
  StartedProcess,
} from "./simple_driver.ts";
import { type CdpReady, waitForCdp } from "./wait_for_cdp.ts";

/** Interval at which the address of a starting browser is requested from its driver. */
const FIND_INTERVAL_MS = 50;

/** Pause before the next connection to a browser that closed one but still responds. */
const RECONNECT_MS = 1_000;

/** Time without a response after which a browser that closed its connection counts as ended. */
export const SILENCE_MS = 3_000;

/** Maximum wait for the exit of a killed browser. */
const EXIT_MS = 10_000;

/** Number of retries of a failed {@linkcode SimpleDriver.end}, and the pause before each. */
const END_RETRIES = 5;
const END_PAUSE_MS = 200;

/** A browser that responds, with its session and the address that its driver returned. */
export interface ReadyBrowser extends CdpReady {
  readonly sessionId: string;
  readonly address: URL;
}

/**
 * Waits until the session's browser has an address and responds.
 *
 * @throws The signal's reason, or an error after `waitMs`.
 */
export async function waitUntilReady(
  driver: SimpleDriver,
  sessionId: string,
  { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal },
): Promise<ReadyBrowser> {
  const lateAt = systemClock.monotonic() + waitMs;
  for (;;) {
    signal.throwIfAborted();
    const address = await findAddress(driver, sessionId);
    const timeoutMs = lateAt - systemClock.monotonic();
    if (address) {
      const ready = await waitForCdp(address, { timeoutMs, signal });
      return { ...ready, sessionId, address };
    }
    if (timeoutMs < 0) throw new Error("the browser has no address");
    await systemClock.sleep(FIND_INTERVAL_MS, signal);
  }
}

/** Returns the address of the session's browser; undefined if it is not known or not a URL. */
export async function findAddress(
  driver: SimpleDriver,
  sessionId: string,
): Promise<URL | undefined> {
  const text = await driver.find(sessionId).catch(() => undefined);
  return URL.parse(text ?? "") ?? undefined;
}

/** Returns a browser that is watched until its host is closed, as a plain object that a plugin can extend. */
export function attachBrowser(
  driver: SimpleDriver,
  ready: ReadyBrowser,
  { exitReport, closing }: {
    /** Reports the browser's end; undefined if the driver cannot. */
    readonly exitReport?: Promise<BrowserExit> | undefined;
    /** Ends the watching. */
    readonly closing: AbortSignal;
  },
): RunningBrowser {
  const { sessionId, endpoint, product } = ready;
  const exited = Promise.withResolvers<BrowserExit>();
  let isStopping = false;
  void (exitReport ?? waitForSilence(ready, closing)).then(
    (exit) =>
      exited.resolve(isStopping ? { ...exit, reason: "stopped" } : exit),
    () => {}, // The host is closed.
  );
  return {
    sessionId,
    endpoint,
    details: { browser_version: product },
    exited: exited.promise,
    probe: (signal) => probeBrowser({ endpoint }, signal),
    async stop(graceMs) {
      isStopping = true;
      await closeBrowser({ endpoint }, graceMs);
      await endBrowser(driver, sessionId, exitReport);
      exited.resolve({ reason: "stopped", detail: "it was asked to end" });
    },
  };
}

/** Converts the result of {@linkcode SimpleDriver.start} to a promise of the browser's end that never rejects. */
export function toExitReport(
  started: ExitReporter | StartedProcess | void,
): Promise<BrowserExit> | undefined {
  if (!started) return undefined;
  const exited = "exited" in started
    ? started.exited
    : started.status.then(toBrowserExit);
  return exited.catch((error) => ({
    reason: "crashed",
    detail: toMessage(error),
  }));
}

function toBrowserExit(
  { success, code, signal }: Awaited<StartedProcess["status"]>,
): BrowserExit {
  return {
    reason: success ? "stopped" : "crashed",
    detail: signal ?? `exit code ${code}`,
  };
}

/** Ends a browser, and ends it again after its exit, because it may create files until then. */
export async function endBrowser(
  driver: SimpleDriver,
  sessionId: string,
  exitReport?: Promise<BrowserExit>,
): Promise<void> {
  await retryEnd(driver, sessionId);
  if (!exitReport) return;
  await settleWithin(exitReport, EXIT_MS);
  await retryEnd(driver, sessionId);
}

/** Calls {@linkcode SimpleDriver.end} until it succeeds: a resource may be in use for a moment. */
async function retryEnd(
  driver: SimpleDriver,
  sessionId: string,
): Promise<void> {
  for (let triesLeft = END_RETRIES;; triesLeft--) {
    try {
      return await driver.end(sessionId);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      if (triesLeft === 0) throw error;
    }
    await systemClock.sleep(END_PAUSE_MS);
  }
}

/** Resolves when the browser has closed its connection and does not respond to new ones. @throws The signal's reason. */
async function waitForSilence(
  { endpoint, address }: ReadyBrowser,
  signal: AbortSignal,
): Promise<BrowserExit> {
  const options = { timeoutMs: SILENCE_MS, signal };
  for (;;) {
    await waitForHangUp({ endpoint }, { signal });
    const responds = await waitForCdp(address, options).then(
      () => true,
      () => false,
    );
    signal.throwIfAborted();
    if (!responds) {
      const detail = `no longer answers at ${address.host}`;
      return { reason: "crashed", detail };
    }
    await systemClock.sleep(RECONNECT_MS, signal);
  }
}
