import type { Clock } from "../../async/clock.ts";
import { every } from "../../async/every.ts";
import type { HeldSessionWire, Registration } from "../../client/client.ts";
import { createLogger } from "../../core/log.ts";
import type { BrowserHost, RunningBrowser } from "../../core/provider.ts";
import type { WorkerStartOptions } from "../options.ts";
import type { Outbox } from "../outbox.ts";

const log = createLogger("worker", "browser_host");

/** Interval of the sweeps. */
const SWEEP_MS = 60_000;

/** Pause before a failed sweep or adoption is retried. */
const RETRY_MS = 2_000;

/** Options of {@linkcode openHost}. */
export interface OpenHostOptions extends
  Pick<
    WorkerStartOptions,
    "providers" | "dataDir" | "localSandbox" | "serverUrl"
  > {
  readonly registration: Registration;
  /** Receives the progress of slow starts. */
  readonly outbox: Outbox;
}

/** Opens the provider of the worker's pool. */
export async function openHost(
  { providers, dataDir, localSandbox, serverUrl, registration, outbox }:
    OpenHostOptions,
): Promise<BrowserHost> {
  const { worker, grid_id, provider_type, provider_config } = registration;
  const provider = providers.get(provider_type);
  return await provider.open(provider.configSchema.parse(provider_config), {
    gridId: grid_id,
    workerId: worker.id,
    dataDir,
    localSandbox,
    serverUrl,
    onProgress(line) {
      log.info("{line}", { line });
      for (const { session_id } of outbox.snapshot()) {
        outbox.addProgress(session_id, line);
      }
    },
  });
}

/**
 * Returns the running browsers of an earlier process. If the host does not respond and sessions are held, retries until
 * their leases are no longer trusted.
 */
export async function findBrowsers(
  host: Pick<BrowserHost, "adopt">,
  held: readonly HeldSessionWire[],
  { clock, trustedUntil, signal }: {
    readonly clock: Clock;
    readonly trustedUntil: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<readonly RunningBrowser[]> {
  for (;;) {
    try {
      return await host.adopt();
    } catch (error) {
      log.warn("Adoption of running browsers failed: {error}", { error });
      const isLate = clock.monotonic() + RETRY_MS > trustedUntil;
      if (held.length === 0 || isLate) return [];
      await clock.sleep(RETRY_MS, signal);
    }
  }
}

/** Ends this worker's browsers that are not in `held`, a live view: immediately, then every minute until disposed. */
export function startSweeping(
  host: Pick<BrowserHost, "sweep">,
  held: ReadonlySet<string>,
  clock: Clock,
): AsyncDisposable {
  return every(async () => {
    for (const session_id of await host.sweep(held)) {
      log.warn("Ended the browser of {session_id}, which is not held", {
        session_id,
      });
    }
  }, {
    clock,
    periodMs: SWEEP_MS,
    retryMs: RETRY_MS,
    onFailure: (error) =>
      log.warn("Sweep failed, retrying: {error}", { error }),
  });
}

/** Prepares the host for the first session in the background, until disposed. */
export function startPreparing(host: Pick<BrowserHost, "prepare">): Disposable {
  const stop = new AbortController();
  void host.prepare?.(stop.signal).catch((error) => {
    if (stop.signal.aborted) return;
    log.warn("Preparation for the first session failed: {error}", { error });
  });
  return { [Symbol.dispose]: () => stop.abort() };
}
