import type { HeldSessionWire, Registration } from "../../client/client.ts";
import type { Clock } from "../../async/clock.ts";
import { createLogger } from "../../core/log.ts";
import { every } from "../../async/every.ts";
import type {
  BrowserHost,
  LocalSandbox,
  Provider,
  RunningBrowser,
} from "../../core/provider.ts";
import type { Registry } from "../../core/registry.ts";
import type { Outbox } from "../outbox.ts";

const log = createLogger("worker", "browser_host");

/** Time between two looks for browsers that no session holds. */
const SWEEP_MS = 60_000;

/** Pause before a sweep that failed is tried again, and before browsers are looked for again. */
const RETRY_MS = 2_000;

/** What a host is opened with. */
export interface OpenHostOptions {
  readonly providers: Registry<Provider>;
  readonly dataDir: string;
  readonly registration: Registration;
  readonly outbox: Outbox;
  readonly localSandbox?: LocalSandbox | undefined;
  readonly serverUrl?: string | undefined;
}

/** Opens the provider of the worker's pool. */
export async function openHost(
  { providers, dataDir, registration, outbox, ...given }: OpenHostOptions,
): Promise<BrowserHost> {
  const { worker, grid_id, provider_config } = registration;
  const provider = providers.get(worker.provider_type);
  return await provider.open(provider.configSchema.parse(provider_config), {
    gridId: grid_id,
    workerId: worker.id,
    dataDir,
    localSandbox: given.localSandbox,
    serverUrl: given.serverUrl,
    onProgress(line) {
      log.info("{line}", { line });
      for (const { session_id } of outbox.snapshot()) {
        outbox.addProgress(session_id, line);
      }
    },
  });
}

/** The browsers of an earlier process. While their host does not answer they are looked for again until `until`, if any is missed. */
export async function findBrowsers(
  host: BrowserHost,
  held: readonly HeldSessionWire[],
  { clock, until, signal }: {
    readonly clock: Clock;
    readonly until: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<readonly RunningBrowser[]> {
  for (;;) {
    try {
      return await host.adopt();
    } catch (error) {
      log.warn("Cannot look for browsers that still run: {error}", { error });
      const isLate = clock.monotonic() + RETRY_MS > until;
      if (held.length === 0 || isLate) return [];
      await clock.sleep(RETRY_MS, signal);
    }
  }
}

/** Ends, at once and again and again, the browsers of this worker that are not in `held`, a live view. A host that does not answer is asked again soon. */
export function startSweeping(
  host: BrowserHost,
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
    onFailure: (error) => log.warn("Cannot sweep: {error}", { error }),
  });
}

/** Gets in the background what the first session would wait for. */
export function startPreparing(host: BrowserHost): Disposable {
  const stop = new AbortController();
  void host.prepare?.(stop.signal).catch((error) => {
    if (stop.signal.aborted) return;
    log.warn("Cannot prepare for the first session: {error}", { error });
  });
  return { [Symbol.dispose]: () => stop.abort() };
}
