import { aborted } from "../../async/abortable.ts";
import { systemClock } from "../../async/clock.ts";
import { createClient } from "../../client/client.ts";
import { configureLog } from "../../core/log.ts";
import { redactKeys } from "../../core/redact.ts";
import type { Provider } from "../../core/provider.ts";
import { Registry } from "../../core/registry.ts";
import type { Tracer } from "../../core/trace/tracer.ts";
import type { Settings } from "../../core/settings.ts";
import { reapOrphans } from "../../worker/reap_orphans.ts";
import { createTunnelOpener } from "../../worker/tunnel/client.ts";
import type { Reach } from "../../worker/options.ts";
import { Worker } from "../../worker/worker.ts";
import type { CommandContext } from "../command.ts";
import { type CommonOptions, findProxy, resolveSettings } from "../config.ts";
import { createDataFolder } from "../data_folder.ts";
import { EXIT } from "../exit.ts";
import { Shutdown } from "../shutdown.ts";
import { VERSION } from "../version.ts";

/** Options of a worker on the command line. */
export interface WorkerOptions extends CommonOptions {
  readonly work_pool_id: string;
  readonly api_url?: string | undefined;
  readonly api_key?: string | undefined;
  readonly worker_id?: string | undefined;
  readonly worker_name?: string | undefined;
  readonly capacity: number;
  readonly poll_interval: number;
  readonly reach: Reach;
  readonly data_dir?: string | undefined;
  readonly drain_timeout?: number | undefined;
}

/** Runs a worker until a signal or its server ends it. Resolves with the exit code. */
export async function runWorker(
  options: WorkerOptions,
  context: CommandContext,
): Promise<number> {
  const { output } = context;
  const settings = await resolveSettings(
    {
      api_url: options.api_url,
      api_key: options.api_key,
      data_dir: options.data_dir,
    },
    options,
    output,
  );
  using shutdown = Shutdown.listen({ untilExit: true });
  await using stack = new AsyncDisposableStack();
  stack.use(await configureLog(settings));
  stack.use(reapOrphans(systemClock));
  createDataFolder(settings);
  const { otlp_endpoint: endpoint } = settings;
  const tracing = endpoint === undefined
    ? undefined
    : (await import("../../otlp/create_tracer.ts")).createTracer({
      endpoint,
      settings,
      clock: systemClock,
      version: VERSION,
      part: "worker",
    });
  stack.use(tracing);
  const worker = await start(options, {
    settings,
    tracer: tracing?.tracer,
    providers: new Registry("provider", await context.loadProviders()),
    shutdown,
  });
  if (!worker) return EXIT.done;
  stack.use(worker);
  output.print(
    `Worker ${worker.name} (${worker.id}) serves work pool ${options.work_pool_id} of ${
      redactKeys(settings.api_url)
    }`,
  );
  const drain = () => {
    output.progress(
      "Draining: no new sessions, running ones continue to their end; a second signal ends them now",
    );
    worker.drain();
  };
  shutdown.stop.addEventListener("abort", drain);
  if (shutdown.stop.aborted) drain();
  const end = await Promise.race([worker.done, aborted(shutdown.now)]);
  if (end !== "drained") await worker.kill();
  if (end === "replaced") {
    throw new Error(
      `Cannot continue as worker "${worker.name}": a newer process of it has registered, expected one; start one of the two with another --worker-name`,
    );
  }
  if (end === "rejected") {
    throw new Error(
      `Cannot continue as worker "${worker.name}": the server rejects it, expected an existing work pool "${options.work_pool_id}" and a valid API key`,
    );
  }
  return EXIT.done;
}

/** Starts the worker. Resolves with undefined if a signal stops the start. */
async function start(
  options: WorkerOptions,
  { settings, tracer, providers, shutdown }: {
    readonly settings: Settings;
    readonly tracer: Tracer | undefined;
    readonly providers: Registry<Provider>;
    readonly shutdown: Shutdown;
  },
): Promise<Worker | undefined> {
  const server = { apiUrl: settings.api_url, apiKey: settings.api_key };
  try {
    return await Worker.start({
      client: createClient(server),
      reach: options.reach,
      openTunnel: createTunnelOpener({
        ...server,
        proxy: await findProxy(settings.api_url),
      }),
      providers,
      clock: systemClock,
      workPoolId: options.work_pool_id,
      workerId: options.worker_id,
      workerName: options.worker_name,
      capacity: options.capacity,
      pollIntervalSeconds: options.poll_interval,
      drainTimeoutSeconds: options.drain_timeout,
      dataDir: settings.data_dir,
      localSandbox: settings.local_sandbox,
      serverUrl: settings.api_url,
      version: VERSION,
      tracer,
      signal: shutdown.stop,
    });
  } catch (error) {
    if (shutdown.stop.aborted) return undefined;
    throw error;
  }
}
