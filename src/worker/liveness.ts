import { aborted } from "../core/aborted.ts";
import { type Clock, deadline } from "../core/clock.ts";
import { messageOf } from "../core/log.ts";
import type { BrowserExit, RunningBrowser } from "../core/provider.ts";

/** Pause between two probes of a browser that responds. */
const PERIOD_MS = 10_000;

/** Share of the pauses that is left to chance, so that browsers are not probed in step. */
const JITTER = 0.2;

/** How long a browser may fail to respond. A single request waits most of it, so one that is slow is not asked again and again. */
const SILENCE_MS = 45_000;

/** Longest wait for the first response, and the least for the last. */
const FIRST_MS = 30_000;
const LAST_MS = SILENCE_MS - FIRST_MS;

/** Pause before a probe that has failed at once is tried again. */
const RETRY_MS = 2_000;

const NO_RESPONSE = "it does not respond";

/** How {@linkcode untilHung} watches. */
export interface LivenessOptions {
  readonly clock: Clock;
  /** Whether the host responds: while it does not, nothing is known of its browsers. */
  readonly isHostUp: () => Promise<boolean>;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

/** How a browser has ended. */
export interface BrowserEnd {
  readonly exit: BrowserExit;
  /** It is still there, and is to be killed. */
  readonly hangs: boolean;
}

/** Resolves when a browser is gone or hangs; with undefined when `signal` is aborted before. */
export async function untilEnd(
  browser: Pick<RunningBrowser, "probe" | "exited">,
  { signal, ...options }: LivenessOptions,
): Promise<BrowserEnd | undefined> {
  const over = new AbortController();
  const hung = untilHung(browser, {
    ...options,
    signal: AbortSignal.any([over.signal, signal]),
  });
  const exit = await Promise.race([browser.exited, hung]);
  over.abort();
  return exit && { exit, hangs: await hung !== undefined };
}

/**
 * Watches whether a browser responds, and resolves when it has not for 45 s, within a minute after it has stopped; with
 * undefined when `signal` is aborted. Never rejects.
 *
 * It takes two probes that fail: after a pause of this whole process, in which no response could be read, the first may
 * be late without any fault of the browser.
 */
export async function untilHung(
  browser: Pick<RunningBrowser, "probe">,
  { clock, isHostUp, signal }: LivenessOptions,
): Promise<BrowserExit | undefined> {
  if (!browser.probe) return await aborted(signal);
  while (!signal.aborted) {
    const pauseMs = PERIOD_MS * (1 + JITTER * (Math.random() - 1));
    await clock.sleep(pauseMs, signal).catch(() => {});
    const fault = await lastingFault(browser, { clock, signal });
    if (fault === undefined || !await isHostUp() || signal.aborted) continue;
    return { reason: "crashed", detail: `the browser hangs: ${fault}` };
  }
  return undefined;
}

/** What is wrong with a browser for as long as it may be; undefined: it responds, or `signal` was aborted. */
async function lastingFault(
  browser: Pick<RunningBrowser, "probe">,
  { clock, signal }: Pick<LivenessOptions, "clock" | "signal">,
): Promise<string | undefined> {
  const since = clock.monotonic();
  let waitMs = FIRST_MS;
  for (let failures = 1;; failures++) {
    const fault = await faultOf(browser, { clock, signal, waitMs });
    if (fault === undefined || signal.aborted) return undefined;
    const leftMs = since + SILENCE_MS - clock.monotonic();
    if (failures > 1 && leftMs <= 0) return fault;
    waitMs = Math.max(LAST_MS, leftMs);
    if (leftMs > 0) await clock.sleep(RETRY_MS, signal).catch(() => {});
  }
}

async function faultOf(
  browser: Pick<RunningBrowser, "probe">,
  { clock, signal, waitMs }: Pick<LivenessOptions, "clock" | "signal"> & {
    readonly waitMs: number;
  },
): Promise<string | undefined> {
  using patience = deadline(clock, waitMs, signal);
  try {
    const probe = browser.probe?.(patience.signal).then(() => true);
    const responds = await Promise.race([probe, aborted(patience.signal)]);
    return responds ? undefined : NO_RESPONSE;
  } catch (error) {
    return patience.signal.aborted ? NO_RESPONSE : messageOf(error);
  }
}
