import { aborted } from "../async/abortable.ts";
import type { Clock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import { toMessage } from "../core/log.ts";
import type { BrowserExit, RunningBrowser } from "../core/provider.ts";

/** Pause between two probes of a browser that responds. */
const PERIOD_MS = 10_000;

/** Random share of each pause, so that browsers are not probed in step. */
const JITTER = 0.2;

/**
 * Time after which a browser that does not respond is hung. One request may take most of it, so that a slow browser is
 * not asked repeatedly.
 */
const SILENCE_MS = 45_000;

/** Maximum wait for the first response, and minimum wait for the last. */
const FIRST_MS = 30_000;
const LAST_MS = SILENCE_MS - FIRST_MS;

/** Pause before a probe that failed at once is repeated. */
const RETRY_MS = 2_000;

const NO_RESPONSE = "it does not respond";

/** Options of {@linkcode waitForHang}. */
export interface LivenessOptions {
  readonly clock: Clock;
  /** Reports whether the host responds. While it does not, probes of its browsers count for nothing. */
  readonly isHostUp: () => Promise<boolean>;
  /** Aborts the watch. */
  readonly signal: AbortSignal;
}

/** The end of a browser. */
export interface BrowserEnd {
  readonly exit: BrowserExit;
  /** True if the browser still exists and must be killed. */
  readonly hangs: boolean;
}

/** Resolves when a browser is gone or hangs, or with undefined when `signal` is aborted first. */
export async function waitForEnd(
  browser: Pick<RunningBrowser, "probe" | "exited">,
  { signal, ...options }: LivenessOptions,
): Promise<BrowserEnd | undefined> {
  const over = new AbortController();
  const hung = waitForHang(browser, {
    ...options,
    signal: AbortSignal.any([over.signal, signal]),
  });
  const exit = await Promise.race([browser.exited, hung]);
  over.abort();
  return exit && { exit, hangs: await hung !== undefined };
}

/**
 * Probes a browser and resolves when it has not responded for 45 s, at most a minute after it stopped responding; with
 * undefined when `signal` is aborted. Never rejects.
 *
 * Two probes must fail: after a pause of this whole process, in which no response could be read, the first may time out
 * although the browser is healthy.
 */
export async function waitForHang(
  browser: Pick<RunningBrowser, "probe">,
  { clock, isHostUp, signal }: LivenessOptions,
): Promise<BrowserExit | undefined> {
  if (!browser.probe) return await aborted(signal);
  while (!signal.aborted) {
    const pauseMs = PERIOD_MS * (1 + JITTER * (Math.random() - 1));
    await clock.sleep(pauseMs, signal).catch(() => {});
    const fault = await findLastingFault(browser, { clock, signal });
    if (fault === undefined || !await isHostUp() || signal.aborted) continue;
    return { reason: "crashed", detail: `the browser hangs: ${fault}` };
  }
  return undefined;
}

/**
 * Returns the fault of a browser that persists for the whole period; undefined if the browser responds or `signal` is
 * aborted.
 */
async function findLastingFault(
  browser: Pick<RunningBrowser, "probe">,
  { clock, signal }: Pick<LivenessOptions, "clock" | "signal">,
): Promise<string | undefined> {
  const since = clock.monotonic();
  let waitMs = FIRST_MS;
  for (let failures = 1;; failures++) {
    const fault = await probeOnce(browser, { clock, signal, waitMs });
    if (fault === undefined || signal.aborted) return undefined;
    const leftMs = since + SILENCE_MS - clock.monotonic();
    if (failures > 1 && leftMs <= 0) return fault;
    waitMs = Math.max(LAST_MS, leftMs);
    if (leftMs > 0) await clock.sleep(RETRY_MS, signal).catch(() => {});
  }
}

async function probeOnce(
  browser: Pick<RunningBrowser, "probe">,
  { clock, signal, waitMs }: Pick<LivenessOptions, "clock" | "signal"> & {
    readonly waitMs: number;
  },
): Promise<string | undefined> {
  using timeout = deadline(clock, waitMs, signal);
  try {
    const probe = browser.probe?.(timeout.signal).then(() => true);
    const responds = await Promise.race([probe, aborted(timeout.signal)]);
    return responds ? undefined : NO_RESPONSE;
  } catch (error) {
    return timeout.signal.aborted ? NO_RESPONSE : toMessage(error);
  }
}
