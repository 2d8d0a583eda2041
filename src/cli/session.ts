import { Command } from "@commander-js/extra-typings";
import type { GridClient } from "../client/client.ts";
import { clientFrom } from "./config.ts";
import type { Output } from "./output.ts";
import { type ClientFlags, showRecord, withClientOptions } from "./pool.ts";
import { sessionCreateCommand } from "./session_create.ts";

/** `browsergrid session`. */
export function sessionCommand(output: Output): Command {
  return new Command("session").description("Sessions").addHelpText(
    "after",
    `
Examples:
  browsergrid session create --wait --label team=search
  browsergrid session list --status running
  browsergrid session stop SESSION`,
  )
    .addCommand(sessionCreateCommand(output))
    .addCommand(listCommand(output))
    .addCommand(getCommand(output))
    .addCommand(eventsCommand(output))
    .addCommand(logsCommand(output))
    .addCommand(stopCommand(output));
}

function listCommand(output: Output): Command {
  const command = withClientOptions(new Command("list"))
    .description("List the sessions, newest first")
    .option("--status <status>", "one, or several with commas between")
    .option("--pool <id>", "of this work pool")
    .option("--limit <number>", "at most", "50");
  command.action(
    async (
      flags: ClientFlags & { status?: string; pool?: string; limit?: string },
    ) => {
      const client = await clientFrom(flags, output);
      const { items } = await client.listSessions({
        status: flags.status,
        work_pool_id: flags.pool,
        limit: flags.limit === undefined ? undefined : Number(flags.limit),
      });
      if (flags.json) return output.json(items);
      output.table(
        ["id", "status", "browser", "provider", "created", "reason"],
        items.map((session) => [
          session.id,
          session.status,
          `${session.browser} ${session.version}`,
          session.provider,
          session.created_at.slice(0, 19),
          (session.status_reason ?? "").split("\n")[0]?.slice(0, 60) ?? "",
        ]),
      );
    },
  );
  return command as unknown as Command; // Without the types of its own options.
}

/** A command that takes a session's id. */
function onSession(
  name: string,
  description: string,
  output: Output,
  act: (client: GridClient, id: string, flags: ClientFlags) => Promise<void>,
): Command {
  const command = withClientOptions(new Command(name)).description(description)
    .argument("<session>", "id");
  command.action(async (id, flags: ClientFlags) =>
    await act(await clientFrom(flags, output), id, flags)
  );
  return command as unknown as Command; // Without the types of its own arguments.
}

function getCommand(output: Output): Command {
  return onSession(
    "get",
    "Show a session",
    output,
    async (client, id, { json }) =>
      showRecord(await client.getSession(id), json, output),
  );
}

function eventsCommand(output: Output): Command {
  return onSession(
    "events",
    "List what happened to a session",
    output,
    async (client, id, { json }) => {
      const { items } = await client.sessionEvents(id);
      if (json) return output.json(items);
      output.table(
        ["time", "event", "data"],
        items.map(({ timestamp, event, data }) => [
          timestamp,
          event,
          Object.keys(data).length === 0 ? "" : JSON.stringify(data),
        ]),
      );
    },
  );
}

function logsCommand(output: Output): Command {
  return onSession(
    "logs",
    "Show the last output of a session's browser, once it has ended",
    output,
    async (client, id, { json }) => {
      const logs = await client.sessionLogs(id);
      if (json) output.json({ logs });
      else output.print(logs);
    },
  );
}

function stopCommand(output: Output): Command {
  const command = onSession(
    "stop",
    "End a session",
    output,
    async (client, id, flags: ClientFlags & { readonly force?: boolean }) => {
      const session = await client.stopSession(id, { force: flags.force });
      if (flags.json) output.json(session);
      else output.print(`Session ${id} is ${session.status}`);
    },
  );
  command.option("--force", "at once, without asking the browser");
  return command;
}
