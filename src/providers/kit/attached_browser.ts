/**
 * One browser of a {@linkcode SimpleDriver}: found, asked whether it answers, watched, and ended.
 *
 * @module
 */
import { aborted } from "../../async/abortable.ts";
import type { SimpleDriver, StartedBrowser } from "./simple_driver.ts";
import { type CdpReady, waitForCdp } from "./wait_for_cdp.ts";
import { closeBrowser, waitForHangUp } from "./cdp_socket.ts";
import { systemClock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import { messageOf } from "../../core/log.ts";
import { probeBrowser } from "./probe_browser.ts";
import type { BrowserExit, RunningBrowser } from "../../core/provider.ts";

/** Pause between two looks at where a browser will answer. */
const FIND_MS = 50;

/** Pause before a browser that has hung up but answers is called again. */
const WATCH_MS = 1_000;

/** How long a browser that has hung up may be silent before it counts as gone. */
export const SILENCE_MS = 3_000;

/** Longest wait for a process that has been ended to be gone. */
const GONE_MS = 10_000;

/** How often an end that fails is tried again, and the pause before. */
const END_RETRIES = 5;
const END_PAUSE_MS = 200;

/** A browser that answers, and where it was asked. */
interface Ready extends CdpReady {
  readonly sessionId: string;
  readonly address: URL;
}

/** Waits until the browser of a session is found and answers. @throws the signal's reason, or an error when it is late. */
export async function waitUntilReady(
  driver: SimpleDriver,
  sessionId: string,
  { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal },
): Promise<Ready> {
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
    await systemClock.sleep(FIND_MS, signal);
  }
}

/** Where a session's browser answers; undefined: not known. */
export async function findAddress(
  driver: SimpleDriver,
  sessionId: string,
): Promise<URL | undefined> {
  const text = await driver.find(sessionId).catch(() => undefined);
  return URL.parse(text ?? "") ?? undefined;
}

/** A browser that answers, watched until `closing` is aborted. @param exitReport When it is gone, where that can be known. */
export function attachBrowser(
  driver: SimpleDriver,
  ready: Ready,
  { exitReport, closing }: {
    readonly exitReport?: Promise<BrowserExit> | undefined;
    readonly closing: AbortSignal;
  },
): RunningBrowser {
  const { sessionId, endpoint, product } = ready;
  const exited = Promise.withResolvers<BrowserExit>();
  let isAsked = false;
  void (exitReport ?? waitForSilence(ready, closing)).then(
    (exit) => exited.resolve(isAsked ? { ...exit, reason: "stopped" } : exit),
    () => {}, // The host is closed: nobody waits any more.
  );
  return {
    sessionId,
    endpoint,
    details: { browser_version: product },
    exited: exited.promise,
    probe: (signal) => probeBrowser({ endpoint }, signal),
    async stop(graceMs) {
      isAsked = true;
      await closeBrowser(endpoint, graceMs);
      await endBrowser(driver, sessionId, exitReport);
      exited.resolve({ reason: "stopped", detail: "it was asked to end" });
    },
  };
}

/** When and why a browser is gone, by what its start has given. Never rejects. */
export function toExitReport(
  started: StartedBrowser | Deno.ChildProcess | void,
): Promise<BrowserExit> | undefined {
  if (!started) return undefined;
  const exited = "exited" in started
    ? started.exited
    : started.status.then(toBrowserExit);
  return exited.catch((error) => ({
    reason: "crashed",
    detail: messageOf(error),
  }));
}

function toBrowserExit(
  { success, code, signal }: Deno.CommandStatus,
): BrowserExit {
  return {
    reason: success ? "stopped" : "crashed",
    detail: signal ?? `exit code ${code}`,
  };
}

/** Ends a browser, and once more what it has left while it died. */
export async function endBrowser(
  driver: SimpleDriver,
  sessionId: string,
  exited?: Promise<BrowserExit>,
): Promise<void> {
  await retryEnd(driver, sessionId);
  if (!exited) return;
  using late = deadline(systemClock, GONE_MS);
  await Promise.race([exited, aborted(late.signal)]);
  await retryEnd(driver, sessionId);
}

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
    // What it has left may be in use for a moment.
    await systemClock.sleep(END_PAUSE_MS);
  }
}

/** Resolves when the browser has hung up and nobody answers in its place. @throws the signal's reason. */
async function waitForSilence(
  { endpoint, address }: Ready,
  signal: AbortSignal,
): Promise<BrowserExit> {
  const options = { timeoutMs: SILENCE_MS, signal };
  for (;;) {
    await waitForHangUp(endpoint, { signal });
    const answers = await waitForCdp(address, options).then(
      () => true,
      () => false,
    );
    signal.throwIfAborted();
    if (!answers) {
      const detail = `no longer answers at ${address.host}`;
      return { reason: "crashed", detail };
    }
    await systemClock.sleep(WATCH_MS, signal);
  }
}
