import { Command } from "@commander-js/extra-typings";
import { validate } from "uuid";
import type { GridClient } from "../../client/client.ts";
import {
  type ClientFlags,
  shortTime,
  showRecord,
  withClientOptions,
} from "../options/client_flags.ts";
import { clientFrom } from "../config.ts";
import { examples, UsageError } from "../help.ts";
import type { Output } from "../output.ts";

type Worker = Awaited<ReturnType<GridClient["getWorker"]>>;

/** Commands below `browsergrid worker` that look after workers wherever they run. */
export function workerCommands(output: Output): readonly Command[] {
  return [
    listCommand(output),
    onWorker(
      "get",
      "Show a worker",
      output,
      (client, id) => client.getWorker(id),
    ),
    drainCommand(output),
    onWorker(
      "resume",
      "Take back a drain: it claims sessions again",
      output,
      (client, id) => client.resumeWorker(id),
    ),
    deleteCommand(output),
  ];
}

function listCommand(output: Output): Command {
  const command = withClientOptions(new Command("list"))
    .description("List the workers")
    .addHelpText("after", examples(["worker list", "worker list --json"]));
  command.action(async (flags: ClientFlags) => {
    const client = await clientFrom(flags, output);
    const { items } = await client.listWorkers({ limit: 500 });
    if (flags.json) return output.json(items);
    output.table(
      [
        "name",
        "status",
        "load",
        "ready",
        "provider",
        "reach",
        "last heartbeat",
        "id",
      ],
      items.map((worker) => [
        worker.name,
        worker.status,
        `${worker.current_load}/${worker.capacity}`,
        String(worker.ready),
        worker.provider_type,
        reachOf(worker),
        shortTime(worker.last_heartbeat),
        worker.id,
      ]),
      ["provider", "ready", "reach", "last heartbeat"],
    );
  });
  return command;
}

function drainCommand(output: Output): Command {
  const command = withClientOptions(new Command("drain"))
    .description(
      "Give a worker no more sessions; it leaves when what runs has ended",
    )
    .argument("<worker>", "id or name")
    .option(
      "--timeout <seconds>",
      "how long what runs may go on (setting drain_timeout_seconds)",
    )
    .addHelpText(
      "after",
      examples([
        "worker drain my-host-containers",
        "worker drain my-host-containers --timeout 600",
      ]),
    );
  command.action(async (ref) => {
    const flags = command.opts() as ClientFlags & { timeout?: string }; // The options above.
    const client = await clientFrom(flags, output);
    const id = await idOf(client, ref);
    const drained = await client.drainWorker(id, secondsOf(flags.timeout));
    showRecord(drained, flags.json, output);
  });
  return command as unknown as Command; // Without the types of its own options.
}

function deleteCommand(output: Output): Command {
  const command = withClientOptions(new Command("delete"))
    .description("Delete a worker that holds no session")
    .argument("<worker>", "id or name")
    .addHelpText("after", examples(["worker delete my-host-containers"]));
  command.action(async (ref, flags: ClientFlags) => {
    const client = await clientFrom(flags, output);
    await client.deleteWorker(await idOf(client, ref));
    if (flags.json) output.json({ deleted: ref });
    else output.print(`Deleted worker ${ref}`);
  });
  return command as unknown as Command; // Without the types of its own arguments.
}

/** A command that takes a worker and shows what comes of it. */
function onWorker(
  name: string,
  description: string,
  output: Output,
  act: (client: GridClient, id: string) => Promise<Worker>,
): Command {
  const command = withClientOptions(new Command(name)).description(description)
    .argument("<worker>", "id or name")
    .addHelpText("after", examples([`worker ${name} my-host-containers`]));
  command.action(async (ref, flags: ClientFlags) => {
    const client = await clientFrom(flags, output);
    const worker = await act(client, await idOf(client, ref));
    showRecord(worker, flags.json, output);
  });
  return command as unknown as Command; // Without the types of its own arguments.
}

/** As it asked to be reached, and whether its tunnel is up. */
function reachOf({ reach, has_tunnel }: Worker): string {
  return has_tunnel ? `${reach}, tunnel up` : reach;
}

async function idOf(client: GridClient, ref: string): Promise<string> {
  if (validate(ref)) return ref;
  const { items } = await client.listWorkers({ limit: 500 });
  const [found, ...others] = items.filter(({ name }) => name === ref);
  if (found && others.length === 0) return found.id;
  throw new Error(
    `Cannot find worker "${ref}": ${
      found ? "several have" : "none has"
    } this name, expected the id or name of one of "browsergrid worker list"`,
  );
}

function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && value >= 0) return value;
  throw new UsageError(
    `Cannot use --timeout "${text}": expected a number of seconds, 0 or more`,
  );
}
