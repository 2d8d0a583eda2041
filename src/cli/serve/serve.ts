import { aborted } from "../../async/abortable.ts";
import { systemClock } from "../../async/clock.ts";
import { configureLog, describeError } from "../../core/log.ts";
import { isLoopback } from "../../core/network.ts";
import type { Settings } from "../../core/settings.ts";
import { rejectUnisolatedHost } from "../../server/exposure.ts";
import { openGrid, resolveDatabaseUrl } from "../../server/grid.ts";
import { reapOrphans } from "../../worker/reap_orphans.ts";
import type { Worker } from "../../worker/worker.ts";
import type { CommandContext } from "../command.ts";
import { type CommonOptions, resolveSettings } from "../config.ts";
import { createDataFolder } from "../data_folder.ts";
import { lockAgainstRestore } from "../database_file.ts";
import { EXIT } from "../exit.ts";
import { redactDatabaseUrl } from "../redact_settings.ts";
import { Shutdown } from "../shutdown.ts";
import { VERSION } from "../version.ts";
import { collectWhenIdle } from "./idle_collector.ts";
import type { EmbeddedWorkerOptions } from "./embedded_worker.ts";

/** Options of `browsergrid serve`. */
export interface ServeOptions extends CommonOptions {
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly database_url?: string | undefined;
  readonly data_dir?: string | undefined;
  readonly public_url?: string | undefined;
  /** Provider of the embedded worker. @default {"local"} if true */
  readonly with_worker?: string | true | undefined;
  readonly worker_capacity: number;
  readonly worker_name?: string | undefined;
  readonly migrate: boolean;
}

/** Runs the server until a signal ends it. Resolves with the exit code. */
export async function serve(
  options: ServeOptions,
  { output, loadInstalled }: CommandContext,
): Promise<number> {
  const settings = await resolveSettings(
    {
      host: options.host,
      port: options.port,
      database_url: options.database_url,
      data_dir: options.data_dir,
      public_url: options.public_url,
      migrate: options.migrate ? undefined : false,
    },
    options,
    output,
  );
  const installed = await loadInstalled();
  using shutdown = Shutdown.listen({ untilExit: true });
  await using stack = new AsyncDisposableStack();
  stack.use(await configureLog(settings));
  const provider = options.with_worker === true ? "local" : options.with_worker;
  if (provider) stack.use(reapOrphans(systemClock));
  createDataFolder(settings);
  stack.use(lockAgainstRestore(settings));
  const grid = stack.use(
    await openGrid(settings, { ...installed, version: VERSION }),
  );
  await rejectUnisolatedHost(
    grid,
    settings,
    installed.providers.find(({ name }) => name === provider),
  );
  const url = await grid.listen().catch((error) => {
    throw explainListenError(error, settings);
  });
  const { auth } = grid.core;
  const worker = provider
    ? stack.use(
      await startWorker({
        grid,
        server: { apiUrl: url, apiKey: auth.selfKey },
        settings,
        providers: installed.providers,
        provider,
        capacity: options.worker_capacity,
        workerName: options.worker_name,
      }),
    )
    : undefined;
  // The server continues without its worker.
  void worker?.done.then(() => worker[Symbol.asyncDispose]()).catch(
    (error: unknown) => output.error(describeError(error)),
  );
  output.print(renderSummary({
    settings,
    url: grid.core.publicUrl(),
    key: renderKey(settings, await auth.hasKey()),
    worker,
    plugins: installed.plugins,
  }));
  stack.use(collectWhenIdle());
  await aborted(shutdown.stop);
  output.progress("Stopping; a second signal stops at once");
  const ended = stack.disposeAsync().then(() => EXIT.done);
  return await Promise.race([ended, killOnSignal(shutdown.now, worker)]);
}

/** Loads and starts the embedded worker. */
async function startWorker(options: EmbeddedWorkerOptions): Promise<Worker> {
  const { startEmbeddedWorker } = await import("./embedded_worker.ts");
  return await startEmbeddedWorker(options);
}

/** Kills the browsers at the second signal, without asking them to close. */
async function killOnSignal(
  now: AbortSignal,
  worker: Worker | undefined,
): Promise<number> {
  await aborted(now);
  await worker?.kill();
  return EXIT.interrupted;
}

function explainListenError(error: unknown, { host, port }: Settings): unknown {
  const isTaken = error instanceof Error && "code" in error &&
    error.code === "EADDRINUSE";
  return isTaken
    ? new Error(
      `Cannot listen on ${host}:${port}: the port is taken, expected a free one; choose another with --port`,
      { cause: error },
    )
    : error;
}

function renderKey({ api_key, public_url }: Settings, hasKey: boolean): string {
  if (api_key) return "required: BROWSERGRID_API_KEY, or one of the database";
  if (hasKey) {
    return "required: one of the database, see browsergrid key --help";
  }
  const isPublic = public_url !== undefined &&
    !isLoopback(new URL(public_url).hostname);
  return isPublic
    ? `NONE IS SET: everyone who reaches ${public_url} may use the grid, set BROWSERGRID_API_KEY`
    : "none is set: everyone who reaches the port may use the grid";
}

interface Summary {
  readonly settings: Settings;
  readonly url: string;
  readonly key: string;
  readonly worker: Worker | undefined;
  readonly plugins: readonly string[];
}

function renderSummary(
  { settings, url, key, worker, plugins }: Summary,
): string {
  const rows = [
    ["API", `${url}/v1`],
    ...(settings.apps?.includes("dashboard") ?? true
      ? [["Dashboard", `${url}/`]]
      : []),
    ["Docs", `${url}/docs`],
    ["Connect", `${url.replace(/^http/, "ws")}/v1/connect`],
    ["Key", key],
    ["Data", redactDatabaseUrl(resolveDatabaseUrl(settings))],
    ...(plugins.length > 0 ? [["Plugins", plugins.join(", ")]] : []),
    ["Worker", worker ? worker.name : "none here: browsergrid worker --help"],
  ];
  const lines = rows.map(([name = "", value]) =>
    `  ${name.padEnd(11)}${value}`
  );
  return `Browsergrid ${VERSION} is ready\n\n${
    lines.join("\n")
  }\n\nStop with Ctrl+C`;
}
