import type { ClaimedSession } from "../client/client.ts";
import { type Clock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import type { BrowserHost, RunningBrowser } from "../core/provider.ts";
import { toBrowserSpec } from "./claimed_session.ts";
import { abandonOnAbort } from "./abandon_on_abort.ts";
import type { WarmPool } from "./warm/pool.ts";

/** Where the browsers of sessions come from. */
export interface BrowserSource {
  readonly host: BrowserHost;
  /** What is kept ready for them. */
  readonly warm: Pick<WarmPool, "take" | "makeRoom">;
  readonly clock: Clock;
}

/** The browser of a session. */
export interface StartedBrowser {
  readonly browser: RunningBrowser;
  /** Whether it was ready before it was asked for. */
  readonly isWarm: boolean;
}

/**
 * A browser for a claimed session: one that is kept ready, if it is just as the session asks for, else a new one. What
 * takes its time but is no fault, as to pull an image, is done before the start is timed.
 */
export async function startBrowser(
  claimed: ClaimedSession,
  { host, warm, clock }: BrowserSource,
  signal: AbortSignal,
): Promise<StartedBrowser> {
  const spec = toBrowserSpec(claimed);
  const taken = await warm.take(spec, claimed.id, {
    // A start that hangs must leave time for another one.
    waitMs: claimed.start_timeout_ms / 2,
    signal,
  });
  if (taken) return { browser: taken.browser, isWarm: taken.wasReady };
  await warm.makeRoom(signal);
  await host.prepare?.(signal, spec);
  using patience = deadline(clock, claimed.start_timeout_ms, signal);
  try {
    const starting = host.start(spec, claimed.id, patience.signal);
    const browser = await abandonOnAbort(starting, patience.signal, clock);
    return { browser, isWarm: false };
  } catch (error) {
    if (!patience.signal.aborted || signal.aborted) throw error;
    const seconds = claimed.start_timeout_ms / 1_000;
    throw new Error(`the browser did not start within ${seconds} s`);
  }
}
