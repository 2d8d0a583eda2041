import { Command, Option } from "@commander-js/extra-typings";
import { createClient } from "../../client/client.ts";
import { aborted } from "../../async/abortable.ts";
import { systemClock } from "../../async/clock.ts";
import { redactKeys } from "../../core/redact.ts";
import { configureLog } from "../../core/log.ts";
import type { Provider } from "../../core/provider.ts";
import { Registry } from "../../core/registry.ts";
import { listenForShutdown } from "../shutdown.ts";
import { createTunnelOpener } from "../../worker/tunnel/client.ts";
import { reapOrphans } from "../../worker/reap_orphans.ts";
import type { Reach } from "../../worker/options.ts";
import { Worker } from "../../worker/worker.ts";
import { proxyOf, settingsFrom } from "../config.ts";
import { examples } from "../help.ts";
import type { Output } from "../output.ts";
import { wholeNumber } from "../serve.ts";
import { VERSION } from "../version.ts";
import { workerCommands } from "./commands.ts";

/** What a worker is started with on the command line. */
export interface WorkerFlags {
  readonly workPoolId: string;
  readonly apiUrl?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly workerId?: string | undefined;
  readonly workerName?: string | undefined;
  readonly capacity: string;
  readonly pollInterval: string;
  readonly reach: Reach;
  readonly dataDir?: string | undefined;
  readonly config?: string | undefined;
  readonly drainTimeout?: string | undefined;
  readonly debug?: boolean | undefined;
}

/** `browsergrid worker`. */
export function workerCommand(
  output: Output,
  code: { value: number },
  providers: readonly Provider[],
): Command {
  const command = withWorkerOptions(new Command("worker"))
    .description(
      "Start a worker for a work pool; it waits for its server. Or look after workers",
    )
    .option("--work-pool-id <id>", "id or name of the work pool (required)")
    .option(
      "--drain-timeout <seconds>",
      "how long sessions may go on after the first signal (as the server says)",
    )
    .addHelpText(
      "after",
      examples(
        [
          "worker --work-pool-id containers --capacity 10",
          "worker --work-pool-id containers --api-url https://grid.example --reach tunnel",
          "worker list",
          "worker drain my-host-containers --timeout 600",
        ],
        `The first signal drains: running sessions go on to their end, or to that of the
drain timeout. A second one ends them.`,
      ),
    );
  command.action(async () => {
    const flags = command.opts() as Partial<WorkerFlags>; // The options above.
    const { workPoolId } = flags;
    if (workPoolId === undefined) {
      command.error(
        "error: required option '--work-pool-id <id>' not specified",
      );
    }
    const given = { ...flags, workPoolId } as WorkerFlags; // The others have defaults.
    code.value = await runWorker(given, output, providers);
  });
  for (const each of workerCommands(output)) command.addCommand(each);
  return command as unknown as Command; // Without the types of its own options.
}

/** The options of everything that starts a worker. */
export function withWorkerOptions(command: Command): Command {
  command
    .option("--api-url <url>", "the server (http://127.0.0.1:8765)")
    .option(
      "--api-key <key>",
      "key of the server; BROWSERGRID_API_KEY does not show in the list of processes",
    )
    .option("--worker-id <id>", "come back as this worker")
    .option("--worker-name <name>", "name of the worker")
    .option("--capacity <number>", "sessions at once", "5")
    .option("--poll-interval <seconds>", "pause between polls", "10")
    .addOption(
      new Option(
        "--reach <how>",
        "how the server reaches its browsers: by their address, through a tunnel that the worker opens, or by what works",
      ).choices(["auto", "direct", "tunnel"]).default("auto"),
    )
    .option("--data-dir <folder>", "folder for browsers and state")
    .option("--config <file>", "configuration file (browsergrid.json)")
    .option("--debug", "log every step");
  return command;
}

/** Runs a worker until it is told to end. Resolves with the exit code. */
export async function runWorker(
  flags: WorkerFlags,
  output: Output,
  providers: readonly Provider[],
): Promise<number> {
  const settings = await settingsFrom(
    {
      api_url: flags.apiUrl,
      api_key: flags.apiKey,
      data_dir: flags.dataDir,
    },
    flags,
    output,
  );
  using shutdown = listenForShutdown();
  await using stack = new AsyncDisposableStack();
  stack.use(await configureLog(settings));
  stack.use(reapOrphans(systemClock));
  await Deno.mkdir(settings.data_dir, { recursive: true });
  const server = { apiUrl: settings.api_url, apiKey: settings.api_key };
  const starting = Worker.start({
    client: createClient(server),
    reach: flags.reach,
    openTunnel: createTunnelOpener({
      ...server,
      proxy: proxyOf(settings.api_url),
    }),
    providers: new Registry("provider", providers),
    clock: systemClock,
    workPoolId: flags.workPoolId,
    workerId: flags.workerId,
    workerName: flags.workerName,
    capacity: wholeNumber("--capacity", flags.capacity),
    pollIntervalSeconds: wholeNumber("--poll-interval", flags.pollInterval),
    drainTimeoutSeconds: flags.drainTimeout === undefined
      ? undefined
      : wholeNumber("--drain-timeout", flags.drainTimeout),
    dataDir: settings.data_dir,
    localSandbox: settings.local_sandbox,
    serverUrl: settings.api_url,
    version: VERSION,
    signal: shutdown.stop,
  });
  const worker = await starting.catch((error) => {
    if (shutdown.stop.aborted) return undefined;
    throw error;
  });
  if (!worker) return 0;
  stack.use(worker);
  output.print(
    `Worker ${worker.name} (${worker.id}) serves work pool ${flags.workPoolId} of ${
      redactKeys(settings.api_url)
    }`,
  );
  const drain = () => {
    output.progress(
      "Draining: no new sessions, what runs goes on to its end; a second signal ends it now",
    );
    worker.drain();
  };
  shutdown.stop.addEventListener("abort", drain);
  if (shutdown.stop.aborted) drain();
  const end = await Promise.race([worker.done, aborted(shutdown.now)]);
  if (end !== "drained") await worker.kill();
  if (end === "replaced") {
    throw new Error(
      `Cannot go on as worker "${worker.name}": a newer process of it has registered, expected one; give one of the two another --worker-name`,
    );
  }
  if (end === "rejected") {
    throw new Error(
      `Cannot continue as worker "${worker.name}": the server rejects it, expected an existing work pool "${flags.workPoolId}" and a valid API key`,
    );
  }
  return 0;
}
