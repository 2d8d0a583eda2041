import { z } from "zod";
import { isUuid } from "../../core/text.ts";
import type { GridClient } from "../../client/client.ts";
import { type Command, defineCommand } from "../command.ts";
import { connectClient } from "../config.ts";
import { word } from "../options/argument_types.ts";
import {
  metricsOptions,
  renderValue,
  toMetricsQuery,
} from "../options/metrics_options.ts";
import { clientOptions } from "../options/shared_options.ts";
import { printRecord, renderSeconds } from "../print_record.ts";

type Worker = Awaited<ReturnType<GridClient["getWorker"]>>;

const WORKER = { worker: word("id or name") };

const listCommand = defineCommand({
  name: "list",
  description: "List the workers",
  options: () => z.object(clientOptions()),
  examples: ["worker list", "worker list --json"],
  async run(options, { output }) {
    const client = await connectClient(options, output);
    const { items } = await client.listWorkers({ limit: 500 });
    if (options.json) return output.json(items);
    await output.table(
      [
        "name",
        "status",
        "load",
        "ready",
        "provider",
        "reach",
        "version",
        "last heartbeat",
        "id",
      ],
      items.map((worker) => [
        worker.name,
        worker.status,
        `${worker.current_load}/${worker.capacity}`,
        String(worker.ready),
        worker.provider_type,
        renderReach(worker),
        renderVersion(worker),
        renderSeconds(worker.last_heartbeat),
        worker.id,
      ]),
      ["provider", "ready", "version", "reach", "last heartbeat"],
    );
  },
});

const metricsCommand = defineCommand({
  name: "metrics",
  description: "List the resource use of a worker's host, the latest last",
  arguments: WORKER,
  options: metricsOptions,
  examples: [
    "worker metrics my-host-containers",
    "worker metrics my-host-containers --interval 5m --limit 288",
  ],
  async run({ worker, ...options }, { output }) {
    const client = await connectClient(options, output);
    const id = await findWorkerId(client, worker);
    const query = toMetricsQuery(options);
    const { items } = await client.listWorkerMetrics(id, query);
    if (options.json) return output.json(items);
    await output.table(
      ["time", "cpu %", "max cpu %", "memory mb", "disk mb", "sessions"],
      items.map((sample) => [
        sample.timestamp,
        ...[
          sample.cpu_percent,
          sample.cpu_percent_max,
          sample.memory_usage_mb,
          sample.disk_usage_mb,
          sample.current_load,
        ].map(renderValue),
      ]),
    );
  },
});

const drainCommand = defineCommand({
  name: "drain",
  description:
    "Stop a worker from taking sessions; it leaves when its sessions have ended",
  arguments: WORKER,
  options: () =>
    z.object({
      ...clientOptions(),
      timeout: z.string().transform(parseSeconds).optional().meta({
        flags: "--timeout <seconds>",
        description:
          "how long its sessions may continue (setting drain_timeout_seconds)",
      }),
    }),
  examples: [
    "worker drain my-host-containers",
    "worker drain my-host-containers --timeout 600",
  ],
  async run({ worker, timeout, ...options }, { output }) {
    const client = await connectClient(options, output);
    const id = await findWorkerId(client, worker);
    const drained = await client.drainWorker(id, timeout);
    await printRecord(drained, options, output);
  },
});

const deleteCommand = defineCommand({
  name: "delete",
  description: "Delete a worker that holds no session",
  arguments: WORKER,
  options: () => z.object(clientOptions()),
  examples: ["worker delete my-host-containers"],
  async run({ worker, ...options }, { output }) {
    const client = await connectClient(options, output);
    await client.deleteWorker(await findWorkerId(client, worker));
    if (options.json) output.json({ deleted: worker });
    else output.print(`Deleted worker ${worker}`);
  },
});

/** Declares a command that sends one request for a worker and prints the response. */
function defineWorkerCommand(
  name: string,
  description: string,
  send: (client: GridClient, id: string) => Promise<Worker>,
): Command {
  return defineCommand({
    name,
    description,
    arguments: WORKER,
    options: () => z.object(clientOptions()),
    examples: [`worker ${name} my-host-containers`],
    async run({ worker: ref, ...options }, { output }) {
      const client = await connectClient(options, output);
      const worker = await send(client, await findWorkerId(client, ref));
      await printRecord(worker, options, output);
    },
  });
}

/** Commands below `browsergrid worker`, for workers on any host. */
export const workerCommands: readonly Command[] = [
  listCommand,
  defineWorkerCommand(
    "get",
    "Show a worker",
    (client, id) => client.getWorker(id),
  ),
  metricsCommand,
  drainCommand,
  defineWorkerCommand(
    "resume",
    "Cancel the drain of a worker: it claims sessions again",
    (client, id) => client.resumeWorker(id),
  ),
  deleteCommand,
];

/** Renders the requested reach of a worker, and whether its tunnel is open. */
function renderReach({ reach, has_tunnel }: Worker): string {
  return has_tunnel ? `${reach}, tunnel up` : reach;
}

/** Renders the version of a worker, with a note if the server does not support it. */
function renderVersion({ version, version_support }: Worker): string {
  const shown = version ?? "unknown";
  switch (version_support) {
    case "too_old":
      return `${shown} (too old)`;
    case "too_new":
      return `${shown} (too new)`;
    default:
      return shown;
  }
}

async function findWorkerId(client: GridClient, ref: string): Promise<string> {
  if (isUuid(ref)) return ref;
  const { items } = await client.listWorkers({ limit: 500 });
  const [found, ...others] = items.filter(({ name }) => name === ref);
  if (found && others.length === 0) return found.id;
  throw new Error(
    `Cannot find worker "${ref}": ${
      found ? "several have" : "none has"
    } this name, expected the id or name of one of "browsergrid worker list"`,
  );
}

function parseSeconds(text: string, context: z.RefinementCtx): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0) return value;
  context.addIssue("expected a number of seconds, 0 or more");
  return z.NEVER;
}
