import { Command } from "@commander-js/extra-typings";
import { resolveEgressPolicy } from "../../apps/workerpool/manager.ts";
import type { GridClient } from "../../client/client.ts";
import { BUILT_IN_ADMINS } from "../../core/caller.ts";
import { type BrowserSpec, parseMemory } from "../../core/browser_spec.ts";
import { Registry } from "../../core/registry.ts";
import type { Provider } from "../../core/provider.ts";
import {
  type ClientFlags,
  showRecord,
  withClientOptions,
} from "../options/client_flags.ts";
import { clientFrom } from "../config.ts";
import { examples } from "../help.ts";
import type { Output } from "../output.ts";
import { poolCreateCommand, poolUpdateCommand } from "./create.ts";
import {
  runWorker,
  withWorkerOptions,
  type WorkerFlags,
} from "../worker/worker.ts";

type Pool = Awaited<ReturnType<GridClient["getPool"]>>;

/** `browsergrid pool`. */
export function poolCommand(
  output: Output,
  providers: readonly Provider[],
): Command {
  const group = new Command("pool")
    .description("Make work pools and look after them")
    .addHelpText(
      "after",
      examples([
        "pool create docker --name containers --browser chrome",
        "pool list",
        "pool update containers --max-sessions 20",
        "pool start-worker containers --capacity 10",
      ]),
    );
  const create = new Command("create")
    .description("Create a work pool of one of these providers")
    .addHelpText(
      "after",
      examples([
        "pool create local --name here",
        "pool create docker --name containers --browser chrome",
        "pool create docker --help",
      ]),
    );
  for (const provider of providers) {
    create.addCommand(poolCreateCommand(provider, output));
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
  group.addCommand(poolUpdateCommand(output));
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

function listCommand(output: Output): Command {
  const command = withClientOptions(new Command("list"))
    .description("List the work pools")
    .addHelpText("after", examples(["pool list", "pool list --json"]));
  command.action(async (flags: ClientFlags) => {
    const client = await clientFrom(flags, output);
    const { items } = await client.listPools({ limit: 500 });
    if (flags.json) return output.json(items);
    output.table(
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
    .argument("<pool>", "id or name")
    .addHelpText("after", examples([`pool ${name} containers`]));
  command.action(async (ref, flags: ClientFlags) => {
    const client = await clientFrom(flags, output);
    showRecord(await act(client, ref), flags.json, output);
  });
  return command as unknown as Command; // Without the types of its own arguments.
}

function pressureCommand(output: Output): Command {
  const command = withClientOptions(new Command("pressure"))
    .description("Tell how loaded a work pool is")
    .argument("<pool>", "id or name")
    .addHelpText(
      "after",
      examples(["pool pressure containers", "pool pressure containers --json"]),
    );
  command.action(async (ref, flags: ClientFlags) => {
    const client = await clientFrom(flags, output);
    showRecord(await client.poolPressure(ref), flags.json, output);
  });
  return command as unknown as Command; // Without the types of its own arguments.
}

function deleteCommand(output: Output): Command {
  const command = withClientOptions(new Command("delete"))
    .description("Delete a work pool that has no live session")
    .argument("<pool>", "id or name")
    .option(
      "--force",
      "delete the pool even if workers are online; they then end",
    )
    .addHelpText(
      "after",
      examples(["pool delete containers", "pool delete containers --force"]),
    );
  command.action(async (ref, flags: ClientFlags & { force?: true }) => {
    const client = await clientFrom(flags, output);
    await client.deletePool(ref, { force: flags.force });
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
    .argument("<pool>", "id or name")
    .addHelpText(
      "after",
      examples([
        "pool start-worker containers",
        "pool start-worker containers --capacity 10 --worker-name one",
      ]),
    );
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
    .argument("<session>", "id")
    .addHelpText("after", examples(["pool deploy-command containers SESSION"]));
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
    const isolated = await isIsolated(client, session.owner);
    const egress = resolveEgressPolicy({
      name: pool.name,
      egress: pool.egress,
      egressAllow: pool.egress_allow,
    }, isolated);
    const spec = { ...specOf(session), isolated, egress };
    const line = provider.deployCommand(spec, config);
    if (flags.json) output.json({ command: line });
    else output.print(line);
  });
  return command as unknown as Command; // Without the types of its own arguments.
}

/**
 * Reports whether the sessions of `owner` belong to a client key. Only admins can read keys; a client sees only its
 * sessions.
 */
async function isIsolated(client: GridClient, owner: string): Promise<boolean> {
  if (BUILT_IN_ADMINS.includes(owner)) return false;
  const key = await client.getKey(owner).catch(() => undefined);
  return key?.role !== "admin";
}

/** What can be told of a session's browser from outside: secrets are named only. */
function specOf(
  session: Awaited<ReturnType<GridClient["getSession"]>>,
): Omit<BrowserSpec, "isolated" | "egress"> {
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
    arguments: session.arguments,
    ...(session.proxy === null ? {} : { proxy: session.proxy }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  };
}
