import { Command } from "@commander-js/extra-typings";
import { SESSION_STATUSES } from "../../apps/sessions/status.ts";
import type { GridClient } from "../../client/client.ts";
import {
  type ClientFlags,
  shortTime,
  showRecord,
  withClientOptions,
} from "../options/client_flags.ts";
import { clientFrom } from "../config.ts";
import { examples } from "../help.ts";
import type { Output } from "../output.ts";
import { wholeNumber } from "../serve.ts";
import { sessionCreateCommand } from "./create.ts";
import { contentCommand, pdfCommand, screenshotCommand } from "./capture.ts";
import { sessionStopCommand } from "./stop.ts";
import { suggested } from "../options/suggested.ts";

/** `browsergrid session`. */
export function sessionCommand(output: Output): Command {
  return new Command("session")
    .description("Ask for browsers, look after them and end them")
    .addHelpText(
      "after",
      examples([
        "session create --wait --label team=search",
        "session list --status running",
        "session screenshot SESSION --output page.png",
        "session stop SESSION",
      ]),
    )
    .addCommand(sessionCreateCommand(output))
    .addCommand(listCommand(output))
    .addCommand(getCommand(output))
    .addCommand(eventsCommand(output))
    .addCommand(metricsCommand(output))
    .addCommand(logsCommand(output))
    .addCommand(screenshotCommand(output))
    .addCommand(pdfCommand(output))
    .addCommand(contentCommand(output))
    .addCommand(refreshCommand(output))
    .addCommand(sessionStopCommand(output));
}

function listCommand(output: Output): Command {
  const command = withClientOptions(new Command("list"))
    .description("List the sessions, newest first")
    .addOption(
      suggested(
        "--status <status>",
        "one, or several with commas between",
        SESSION_STATUSES,
      ),
    )
    .option("--pool <id>", "of this work pool")
    .option("--limit <number>", "at most", "50")
    .addHelpText(
      "after",
      examples([
        "session list",
        "session list --status pending,starting,running",
        "session list --limit 500 --json",
      ]),
    );
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
          shortTime(session.created_at),
          (session.status_reason ?? "").split("\n")[0]?.slice(0, 60) ?? "",
        ]),
        ["provider", "created"],
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
    .argument("<session>", "id")
    .addHelpText(
      "after",
      examples([`session ${name} SESSION`, `session ${name} SESSION --json`]),
    );
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
          shortTime(timestamp),
          event,
          Object.entries(data).map(([name, value]) =>
            `${name}: ${
              typeof value === "string" ? value : JSON.stringify(value)
            }`
          ).join(", "),
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
      else if (logs.trim() !== "") output.print(logs.trimEnd());
      else {output.progress(
          "No output is kept: it is, once a browser has ended",
        );}
    },
  );
}

function metricsCommand(output: Output): Command {
  return onSession(
    "metrics",
    "List what a session's browser has used lately",
    output,
    async (client, id, { json }) => {
      const { metrics = [] } = await client.getSession(id, {
        include: "metrics",
      });
      if (json) return output.json(metrics);
      output.table(
        ["time", "cpu %", "memory mb", "received bytes", "sent bytes"],
        metrics.map((each) => [
          each.timestamp,
          text(each.cpu_percent),
          text(each.memory_mb),
          text(each.network_rx_bytes),
          text(each.network_tx_bytes),
        ]),
      );
    },
  );
}

function text(value: number | null): string {
  return value === null ? "" : String(value);
}

function refreshCommand(output: Output): Command {
  const command = onSession(
    "refresh",
    "Give a session more time, from now",
    output,
    async (client, id, flags: ClientFlags & { readonly minutes?: string }) => {
      const minutes = flags.minutes === undefined
        ? undefined
        : wholeNumber("--minutes", flags.minutes);
      const session = await client.refreshSession(id, minutes);
      if (flags.json) output.json(session);
      else output.print(`Session ${id} goes on until ${session.expires_at}`);
    },
  );
  command.option("--minutes <number>", "how long (as it was made with)");
  return command;
}
