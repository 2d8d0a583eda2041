import type { Clock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import type { ClaimedSession } from "../client/client.ts";
import type { BrowserHost, RunningBrowser } from "../core/provider.ts";
import { abandonOnAbort } from "./abandon_on_abort.ts";
import { toBrowserSpec } from "./claimed_session.ts";
import type { WarmPool } from "./warm/pool.ts";

/** The sources of browsers for sessions. */
export interface BrowserSource {
  readonly host: BrowserHost;
  readonly warm: Pick<WarmPool, "take" | "makeRoom">;
  readonly clock: Clock;
}

/** The browser of a session. */
export interface SessionBrowser {
  readonly browser: RunningBrowser;
  /** True if the browser was ready before the session requested it. */
  readonly isWarm: boolean;
}

/**
 * Returns a browser for a claimed session: a warm one if it has exactly the requested properties, else a new one. The
 * start timeout does not include preparation, such as the pull of an image.
 *
 * @throws {Error} If the browser does not start in time.
 */
export async function startBrowser(
  claimed: ClaimedSession,
  { host, warm, clock }: BrowserSource,
  signal: AbortSignal,
): Promise<SessionBrowser> {
  const spec = toBrowserSpec(claimed);
  const taken = await warm.take(spec, claimed.id, {
    // If that start hangs, there is time left for another one.
    waitMs: claimed.start_timeout_ms / 2,
    signal,
  });
  if (taken) return { browser: taken.browser, isWarm: taken.wasReady };
  await warm.makeRoom(signal);
  await host.prepare?.(signal, spec);
  using timeout = deadline(clock, claimed.start_timeout_ms, signal);
  try {
    const starting = host.start(spec, claimed.id, timeout.signal);
    const browser = await abandonOnAbort(starting, timeout.signal, clock);
    return { browser, isWarm: false };
  } catch (error) {
    if (!timeout.signal.aborted || signal.aborted) throw error;
    const seconds = claimed.start_timeout_ms / 1_000;
    throw new Error(`the browser did not start within ${seconds} s`);
  }
}
