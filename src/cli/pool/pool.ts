import { z } from "zod";
import type { GridClient } from "../../client/client.ts";
import {
  type Command,
  type CommandContext,
  defineCommand,
} from "../command.ts";
import { connectClient } from "../config.ts";
import { word } from "../options/argument_types.ts";
import { flag } from "../options/option_types.ts";
import { clientOptions } from "../options/shared_options.ts";
import { printRecord } from "../print_record.ts";
import { workerOptions } from "../worker/options.ts";
import { poolCreateCommand, poolUpdateCommand } from "./create.ts";

/** Declares the commands below `browsergrid pool`. */
export function poolCommands(
  loadProviders: CommandContext["loadProviders"],
): readonly Command[] {
  return [
    createCommand(loadProviders),
    listCommand,
    getCommand,
    poolUpdateCommand,
    ...STATUS_COMMANDS,
    pressureCommand,
    deleteCommand,
    startWorkerCommand,
    deployCommand,
  ];
}

function createCommand(
  loadProviders: CommandContext["loadProviders"],
): Command {
  return defineCommand({
    name: "create",
    description: "Create a work pool of one of these providers",
    examples: [
      "pool create local --name here",
      "pool create docker --name containers --browser chrome",
      "pool create docker --help",
    ],
    commands: async () => (await loadProviders()).map(poolCreateCommand),
  });
}

const listCommand = defineCommand({
  name: "list",
  description: "List the work pools",
  options: () => z.object(clientOptions()),
  examples: ["pool list", "pool list --json"],
  async run(options, { output }) {
    const client = await connectClient(options, output);
    const { items } = await client.listPools({ limit: 500 });
    if (options.json) return output.json(items);
    await output.table(
      ["name", "provider", "status", "priority", "max sessions", "id"],
      items.map((pool) => [
        pool.name,
        pool.provider_type,
        pool.status,
        String(pool.priority),
        String(pool.max_sessions ?? "no limit"),
        pool.id,
      ]),
      ["max sessions", "priority"],
    );
  },
});

/** Declares a command that sends one request for a pool and prints the response. */
function definePoolCommand(
  name: string,
  description: string,
  send: (
    client: GridClient,
    ref: string,
  ) => Promise<Readonly<Record<string, unknown>>>,
): Command {
  return defineCommand({
    name,
    description,
    arguments: { pool: word("id or name") },
    options: () => z.object(clientOptions()),
    examples: [`pool ${name} containers`],
    async run({ pool, ...options }, { output }) {
      const client = await connectClient(options, output);
      await printRecord(await send(client, pool), options, output);
    },
  });
}

const getCommand = definePoolCommand(
  "get",
  "Show a work pool",
  (client, ref) => client.getPool(ref),
);

const pressureCommand = definePoolCommand(
  "pressure",
  "Show the load of a work pool",
  (client, ref) => client.getPoolPressure(ref),
);

const STATUS_COMMANDS = ([
  ["pause", "Take no sessions until the pool is resumed"],
  ["resume", "Take sessions again"],
  ["drain", "Take no sessions; running ones continue"],
] as const).map(([verb, description]) =>
  definePoolCommand(
    verb,
    description,
    (client, ref) => client.setPoolStatus(ref, verb),
  )
);

const deleteCommand = defineCommand({
  name: "delete",
  description: "Delete a work pool that has no live session",
  arguments: { pool: word("id or name") },
  options: () =>
    z.object({
      ...clientOptions(),
      force: flag(
        "--force",
        "delete the pool even if workers are online; they then end",
      ),
    }),
  examples: ["pool delete containers", "pool delete containers --force"],
  async run({ pool, force, ...options }, { output }) {
    const client = await connectClient(options, output);
    await client.deletePool(pool, { force });
    if (options.json) output.json({ deleted: pool });
    else output.print(`Deleted work pool ${pool}`);
  },
});

const startWorkerCommand = defineCommand({
  name: "start-worker",
  description: "Start a worker for a work pool, here",
  arguments: { pool: word("id or name") },
  options: () => z.object(workerOptions()),
  examples: [
    "pool start-worker containers",
    "pool start-worker containers --capacity 10 --worker-name one",
  ],
  async run({ pool, ...options }, context) {
    const { runWorker } = await import("../worker/run_worker.ts");
    return await runWorker({ ...options, work_pool_id: pool }, context);
  },
});

const deployCommand = defineCommand({
  name: "deploy-command",
  description: "Show how a person would start a session's browser by hand",
  arguments: { pool: word("id or name"), session: word("id") },
  options: () => z.object(clientOptions()),
  examples: ["pool deploy-command containers SESSION"],
  async run({ pool, session, ...options }, { output, loadProviders }) {
    const client = await connectClient(options, output);
    const { renderDeployCommand } = await import("./deploy_command.ts");
    const deploy = { pool, session, providers: await loadProviders() };
    const line = await renderDeployCommand(client, deploy);
    if (options.json) output.json({ command: line });
    else output.print(line);
  },
});
