import { Command } from "@commander-js/extra-typings";
import type { GridClient, PoolBody } from "../client/client.ts";
import { type BrowserSpec, parseMemory } from "../core/browser_spec.ts";
import { Registry } from "../core/registry.ts";
import type { Provider } from "../core/provider.ts";
import { clientFrom, type CommonFlags } from "./config.ts";
import type { Output } from "./output.ts";
import {
  poolChangeOptions,
  poolFieldOptions,
  poolFields,
} from "./pool_options.ts";
import { optionsOfSchema, valuesOfSchema } from "./schema_options.ts";
import { runWorker, withWorkerOptions, type WorkerFlags } from "./worker.ts";

type Pool = Awaited<ReturnType<GridClient["getPool"]>>;

/** Flags of every command that talks to a server. */
export interface ClientFlags extends CommonFlags {
  readonly apiUrl?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly json?: boolean | undefined;
}

/** The options of every command that talks to a server. */
export function withClientOptions(command: Command): Command {
  command
    .option("--api-url <url>", "the server (http://127.0.0.1:8765)")
    .option(
      "--api-key <key>",
      "key of the server; BROWSERGRID_API_KEY does not show in the list of processes",
    )
    .option("--config <file>", "configuration file (browsergrid.json)")
    .option("--json", "print JSON")
    .option("--debug", "show where an error came from");
  return command;
}

/** `browsergrid pool`. */
export function poolCommand(
  output: Output,
  providers: readonly Provider[],
): Command {
  const group = new Command("pool").description("Work pools").addHelpText(
    "after",
    `
Examples:
  browsergrid pool create docker --name containers --browser chrome
  browsergrid pool list
  browsergrid pool start-worker containers --capacity 10
  browsergrid pool deploy-command containers SESSION`,
  );
  const create = new Command("create").description("Create a work pool");
  for (const provider of providers) {
    create.addCommand(createCommand(provider, output));
  }
  group.addCommand(create).addCommand(listCommand(output));
  group.addCommand(
    onPool(
      "get",
      "Show a work pool",
      output,
      (client, ref) => client.getPool(ref),
    ),
  );
  group.addCommand(updateCommand(output));
  const verbs = [
    ["pause", "Take no sessions until it is resumed"],
    ["resume", "Take sessions again"],
    ["drain", "Take no sessions; what runs goes on to its end"],
  ] as const;
  for (const [verb, what] of verbs) {
    group.addCommand(
      onPool(
        verb,
        what,
        output,
        (client, ref) => client.setPoolStatus(ref, verb),
      ),
    );
  }
  return group.addCommand(pressureCommand(output))
    .addCommand(deleteCommand(output))
    .addCommand(startWorkerCommand(output, providers))
    .addCommand(deployCommand(output, providers));
}

function createCommand(provider: Provider, output: Output): Command {
  const command = withClientOptions(new Command(provider.name))
    .description(`${provider.displayName}: ${provider.description}`)
    .requiredOption("--name <name>", "name of the work pool");
  const { configSchema } = provider;
  const own = optionsOfSchema(configSchema);
  for (const option of poolFieldOptions(own.map(({ name }) => name))) {
    command.addOption(option);
  }
  for (const { option } of own) command.addOption(option);
  command.action(async () => {
    const flags: Readonly<Record<string, unknown>> = command.opts();
    const client = await clientFrom(flags as ClientFlags, output); // The options above.
    const config = configSchema.safeParse(valuesOfSchema(configSchema, flags));
    if (!config.success) {
      const faults = config.error.issues.map(({ path, message }) =>
        `--${path.join(".").replaceAll("_", "-")}: ${message}`
      );
      throw new Error(`Cannot create the work pool: ${faults.join("; ")}`);
    }
    const body: PoolBody = {
      ...provider.poolConfig?.(config.data),
      ...poolFields(flags),
      name: String(flags.name),
      provider_type: provider.name,
      provider_config: config.data,
    };
    show(await client.createPool(body), flags.json, output);
  });
  return command as unknown as Command; // Without the types of its own options.
}

function updateCommand(output: Output): Command {
  const command = withClientOptions(new Command("update"))
    .description("Change a work pool: what is given is changed")
    .argument("<pool>", "id or name")
    .option("--name <name>", "new name");
  for (const option of poolChangeOptions()) command.addOption(option);
  command.action(async (ref) => {
    const flags: Readonly<Record<string, unknown>> = command.opts();
    const client = await clientFrom(flags as ClientFlags, output); // The options above.
    const name = flags.name === undefined ? {} : { name: String(flags.name) };
    const pool = await client.patchPool(ref, { ...poolFields(flags), ...name });
    show(pool, flags.json, output);
  });
  return command as unknown as Command; // Without the types of its own options.
}

function listCommand(output: Output): Command {
  const command = withClientOptions(new Command("list"))
    .description("List the work pools");
  command.action(async (flags: ClientFlags) => {
    const client = await clientFrom(flags, output);
    const { items } = await client.listPools({ limit: 500 });
    if (flags.json) return output.json(items);
    output.table(
      ["name", "provider", "status", "priority", "id"],
      items.map((pool) => [
        pool.name,
        pool.provider_type,
        pool.status,
        String(pool.priority),
        pool.id,
      ]),
    );
  });
  return command;
}

/** A command that takes a pool and shows what comes of it. */
function onPool(
  name: string,
  description: string,
  output: Output,
  act: (client: GridClient, ref: string) => Promise<Pool>,
): Command {
  const command = withClientOptions(new Command(name)).description(description)
    .argument("<pool>", "id or name");
  command.action(async (ref, flags: ClientFlags) => {
    const client = await clientFrom(flags, output);
    show(await act(client, ref), flags.json, output);
  });
  return command as unknown as Command; // Without the types of its own arguments.
}

function pressureCommand(output: Output): Command {
  const command = withClientOptions(new Command("pressure"))
    .description("Tell how loaded a work pool is")
    .argument("<pool>", "id or name");
  command.action(async (ref, flags: ClientFlags) => {
    const client = await clientFrom(flags, output);
    showRecord(await client.poolPressure(ref), flags.json, output);
  });
  return command as unknown as Command; // Without the types of its own arguments.
}

function deleteCommand(output: Output): Command {
  const command = withClientOptions(new Command("delete"))
    .description("Delete a work pool that has no live session")
    .argument("<pool>", "id or name");
  command.action(async (ref, flags: ClientFlags) => {
    await (await clientFrom(flags, output)).deletePool(ref);
    if (flags.json) output.json({ deleted: ref });
    else output.print(`Deleted work pool ${ref}`);
  });
  return command as unknown as Command; // Without the types of its own arguments.
}

function startWorkerCommand(
  output: Output,
  providers: readonly Provider[],
): Command {
  const command = withWorkerOptions(new Command("start-worker"))
    .description("Start a worker for a work pool, here")
    .argument("<pool>", "id or name");
  command.action(async (workPoolId) => {
    const flags = command.opts() as Omit<WorkerFlags, "workPoolId">; // The options above.
    await runWorker({ ...flags, workPoolId }, output, providers);
  });
  return command as unknown as Command; // Without the types of its own arguments.
}

function deployCommand(
  output: Output,
  providers: readonly Provider[],
): Command {
  const command = withClientOptions(new Command("deploy-command"))
    .description("Show how a person would start a session's browser by hand")
    .argument("<pool>", "id or name")
    .argument("<session>", "id");
  command.action(async (ref, id, flags: ClientFlags) => {
    const client = await clientFrom(flags, output);
    const [pool, session] = await Promise.all([
      client.getPool(ref),
      client.getSession(id),
    ]);
    const provider = new Registry("provider", providers).get(
      pool.provider_type,
    );
    const config = provider.configSchema.parse(pool.provider_config);
    const line = provider.deployCommand(specOf(session), config);
    if (flags.json) output.json({ command: line });
    else output.print(line);
  });
  return command as unknown as Command; // Without the types of its own arguments.
}

/** What can be told of a session's browser from outside: secrets are named only. */
function specOf(
  session: Awaited<ReturnType<GridClient["getSession"]>>,
): BrowserSpec {
  const { cpu, memory } = session.resource_limits;
  const memoryBytes = memory === undefined ? undefined : parseMemory(memory);
  return {
    browser: session.browser,
    version: session.version,
    headless: session.headless,
    screen: session.screen,
    environment: Object.fromEntries(
      session.environment.map((name) => [name, "…"]),
    ),
    ...(session.proxy === null ? {} : { proxy: session.proxy }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  };
}

function show(pool: Pool, json: unknown, output: Output): void {
  showRecord(pool, json, output);
}

/** An answer as it is, or as a table of its members. */
export function showRecord(
  record: Readonly<Record<string, unknown>>,
  json: unknown,
  output: Output,
): void {
  if (json) return output.json(record);
  const rows = Object.entries(record).filter(([, value]) =>
    value !== null && value !== ""
  ).map(([name, value]) => [
    name,
    typeof value === "object" ? JSON.stringify(value) : String(value),
  ]);
  output.table(["field", "value"], rows);
}
