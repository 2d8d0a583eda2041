import { Command } from "@commander-js/extra-typings";
import { createClient } from "../client/client.ts";
import { aborted } from "../async/abortable.ts";
import { systemClock } from "../async/clock.ts";
import { configureLog, describeError } from "../core/log.ts";
import { isLoopback } from "../core/network.ts";
import type { Provider } from "../core/provider.ts";
import { Registry } from "../core/registry.ts";
import type { Settings } from "../core/settings.ts";
import { listenForShutdown } from "./shutdown.ts";
import { reapOrphans } from "../worker/reap_orphans.ts";
import {
  createTunnelOpener,
  type TunnelServer,
} from "../worker/tunnel/client.ts";
import { Worker } from "../worker/worker.ts";
import { settingsFrom } from "./config.ts";
import { rejectUnisolatedHost } from "../server/exposure.ts";
import { type Grid, openGrid, resolveDatabaseUrl } from "../server/grid.ts";
import { examples, EXIT, UsageError } from "./help.ts";
import type { Output } from "./output.ts";
import type { Installed } from "./plugins.ts";
import { shownUrl } from "./shown_settings.ts";
import { suggested } from "./options/suggested.ts";
import { VERSION } from "./version.ts";

/** Name of the pool that `--with-worker` serves. */
const DEFAULT_POOL = "default";

interface ServeFlags {
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly databaseUrl?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly publicUrl?: string | undefined;
  readonly withWorker?: string | true | undefined;
  readonly workerCapacity: string;
  readonly workerName?: string | undefined;
  readonly migrate: boolean;
  readonly config?: string | undefined;
  readonly debug?: boolean | undefined;
}

/** `browsergrid serve`. */
export function serveCommand(
  output: Output,
  code: { value: number },
  installed: Installed,
): Command {
  const command = new Command("serve")
    .alias("runserver")
    .description("Start the server, with --with-worker also a worker here")
    .option("--host <address>", "address to listen on (127.0.0.1)")
    .option("--port <number>", "port to listen on (8765); 0 takes a free one")
    .option("--database-url <url>", "file:PATH, :memory: or libsql://HOST")
    .option("--data-dir <folder>", "folder for database, browsers and state")
    .option("--public-url <url>", "URL under which clients reach the server")
    .addOption(
      suggested(
        "--with-worker [provider]",
        'start a worker for the pool "default" too (local)',
        installed.providers.map(({ name }) => name),
      ),
    )
    .option("--worker-capacity <number>", "sessions of that worker", "5")
    .option("--worker-name <name>", "name of the embedded worker")
    .option("--no-migrate", "leave the database as it is")
    .option("--config <file>", "configuration file (browsergrid.json)")
    .option("--debug", "log every step")
    .addHelpText(
      "after",
      examples(
        [
          "serve --with-worker",
          "serve --port 9000 --with-worker docker --worker-capacity 10",
          "serve --host 0.0.0.0 --database-url libsql://grid.example",
        ],
        'Every option is also a setting: see "browsergrid settings".',
      ),
    );
  command.action(async () => {
    const flags = command.opts() as unknown as ServeFlags; // The options above.
    code.value = await serve(flags, output, installed);
  });
  return command as unknown as Command; // Without the types of its own options.
}

async function serve(
  flags: ServeFlags,
  output: Output,
  installed: Installed,
): Promise<number> {
  const settings = await settingsFrom(
    {
      host: flags.host,
      port: flags.port,
      database_url: flags.databaseUrl,
      data_dir: flags.dataDir,
      public_url: flags.publicUrl,
      migrate: flags.migrate ? undefined : flags.migrate,
    },
    flags,
    output,
  );
  using shutdown = listenForShutdown();
  await using stack = new AsyncDisposableStack();
  stack.use(await configureLog(settings));
  if (flags.withWorker) stack.use(reapOrphans(systemClock));
  await Deno.mkdir(settings.data_dir, { recursive: true });
  const grid = stack.use(
    await openGrid(settings, {
      ...installed,
      version: VERSION,
    }),
  );
  await rejectUnisolatedHost(
    grid,
    settings,
    embeddedProvider(flags, installed),
  );
  const url = await grid.listen().catch((error) => {
    throw portProblem(error, settings);
  });
  const { auth } = grid.core;
  const server = { apiUrl: url, apiKey: auth.selfKey };
  const worker = flags.withWorker
    ? stack.use(
      await startEmbedded({ server, grid, settings }, flags, installed),
    )
    : undefined;
  if (worker) {
    grid.core.localWorkers.set(worker.id, (id) => worker.findSocketPath(id));
  }
  // The server goes on without it.
  void worker?.done.then(() => worker[Symbol.asyncDispose]()).catch(
    (error: unknown) => output.error(describeError(error)),
  );
  const key = keyLine(settings, await auth.hasKey());
  const shown = { key, worker, plugins: installed.plugins };
  output.print(summary(settings, grid.core.publicUrl(), shown));
  await aborted(shutdown.stop);
  output.progress("Stopping; a second signal stops at once");
  const ended = stack.disposeAsync().then(() => 0);
  return await Promise.race([ended, killed(shutdown.now, worker)]);
}

/** On the second signal: ends the browsers without asking, and nothing else. */
async function killed(
  now: AbortSignal,
  worker: Worker | undefined,
): Promise<number> {
  await aborted(now);
  await worker?.kill();
  return EXIT.interrupted;
}

/** Returns the provider of the embedded worker; undefined if there is none. */
function embeddedProvider(
  { withWorker }: ServeFlags,
  { providers }: Installed,
): Provider | undefined {
  const name = withWorker === true ? "local" : withWorker;
  return providers.find((provider) => provider.name === name);
}

/** Makes the pool if it is not there, and starts its worker. */
async function startEmbedded(
  { server, grid, settings }: {
    readonly server: TunnelServer;
    readonly grid: Grid;
    readonly settings: Settings;
  },
  { withWorker, workerCapacity, workerName }: ServeFlags,
  { providers }: Installed,
): Promise<Worker> {
  const provider = typeof withWorker === "string" ? withWorker : "local";
  const client = createClient(server);
  const name = provider === "local"
    ? DEFAULT_POOL
    : `${DEFAULT_POOL}-${provider}`;
  if (!await hasPool(grid, name)) {
    await client.createPool({
      name,
      provider_type: provider,
      description: "Made by serve --with-worker",
      default_headless: true,
    }).catch((error) => {
      // Another server of the grid may have created it first.
      if (!isCode(error, "pool_name_taken")) throw error;
    });
  }
  return await Worker.start({
    client,
    providers: new Registry("provider", providers),
    clock: systemClock,
    workPoolId: name,
    workerName,
    capacity: wholeNumber("--worker-capacity", workerCapacity),
    pollIntervalSeconds: 10,
    dataDir: settings.data_dir,
    localSandbox: settings.local_sandbox,
    serverUrl: server.apiUrl,
    // Isolated browsers are reachable only through the tunnel.
    openTunnel: createTunnelOpener(server),
    version: VERSION,
  });
}

/** Asks the manager directly: a request for a missing pool would be logged. */
async function hasPool(grid: Grid, name: string): Promise<boolean> {
  try {
    await grid.pools.get(name);
    return true;
  } catch (error) {
    if (isCode(error, "pool_not_found")) return false;
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** The number that an option was given. @throws {UsageError} If it is none above zero. */
export function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(
    `Cannot use ${option} "${text}": expected a whole number above 0`,
  );
}

function portProblem(error: unknown, { host, port }: Settings): unknown {
  const isTaken = error instanceof Error && "code" in error &&
    error.code === "EADDRINUSE";
  return isTaken
    ? new Error(
      `Cannot listen on ${host}:${port}: the port is taken, expected a free one; give another with --port`,
      { cause: error },
    )
    : error;
}

function keyLine(
  { api_key, public_url }: Settings,
  hasKey: boolean,
): string {
  if (api_key) return "required: BROWSERGRID_API_KEY, or one of the database";
  if (hasKey) {
    return "required: one of the database, see browsergrid key --help";
  }
  const isPublic = public_url !== undefined &&
    !isLoopback(new URL(public_url).hostname);
  return isPublic
    ? `NONE IS SET: whoever reaches ${public_url} may use the grid, set BROWSERGRID_API_KEY`
    : "none is set: whoever reaches the port may use the grid";
}

function summary(
  settings: Settings,
  url: string,
  { key, worker, plugins }: Pick<Installed, "plugins"> & {
    readonly key: string;
    readonly worker: Worker | undefined;
  },
): string {
  const rows = [
    ["API", `${url}/v1`],
    ["Docs", `${url}/docs`],
    ["Connect", `${url.replace(/^http/, "ws")}/v1/connect`],
    ["Key", key],
    ["Data", shownUrl(resolveDatabaseUrl(settings))],
    ...(plugins.length > 0 ? [["Plugins", plugins.join(", ")]] : []),
    ["Worker", worker ? worker.name : "none here: browsergrid worker --help"],
  ];
  const lines = rows.map(([name = "", value]) => `  ${name.padEnd(9)}${value}`);
  return `Browsergrid ${VERSION} is ready\n\n${
    lines.join("\n")
  }\n\nStop with Ctrl+C`;
}
