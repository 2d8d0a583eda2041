import { Command } from "@commander-js/extra-typings";
import type { GridClient } from "../client/client.ts";
import { sessionInputSchema } from "../apps/sessions/schemas.ts";
import { clientFrom } from "./config.ts";
import type { Output } from "./output.ts";
import { type ClientFlags, showRecord, withClientOptions } from "./pool.ts";

/** How long `--wait` without a number waits. */
const WAIT_SECONDS = 60;

interface CreateFlags extends ClientFlags {
  readonly browser?: string;
  readonly browserVersion?: string;
  readonly headless?: string;
  readonly pool?: string;
  readonly timeoutMinutes?: string;
  readonly label?: readonly string[];
  readonly wait?: string | true;
}

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
    .addCommand(createCommand(output))
    .addCommand(listCommand(output))
    .addCommand(getCommand(output))
    .addCommand(eventsCommand(output))
    .addCommand(logsCommand(output))
    .addCommand(stopCommand(output));
}

function createCommand(output: Output): Command {
  const command = withClientOptions(new Command("create"))
    .description("Ask for a browser")
    .option("--browser <name>", "chrome, chromium, edge, firefox, safari")
    .option("--browser-version <version>", "latest, stable or a version")
    .option("--headless <true|false>", "whether it has no window")
    .option("--pool <pool>", "id or name of the work pool")
    .option("--timeout-minutes <number>", "longest life")
    .option("--label <name=value...>", "labels")
    .option("--wait [seconds]", "wait until it runs");
  command.action(async (flags: CreateFlags) => {
    const client = await clientFrom(flags, output);
    const input = sessionInputSchema.safeParse(inputOf(flags));
    if (!input.success) {
      const faults = input.error.issues.map(({ path, message }) =>
        `${path.join(".")}: ${message}`
      );
      throw new Error(`Cannot ask for the browser: ${faults.join("; ")}`);
    }
    if (flags.wait) output.progress("Waiting for the browser to run …");
    const waitSeconds = flags.wait === true ? WAIT_SECONDS : Number(flags.wait);
    const session = await client.createSession(
      input.data,
      flags.wait ? { waitSeconds } : {},
    );
    showRecord(session, flags.json, output);
  });
  return command as unknown as Command; // Without the types of its own options.
}

function inputOf(flags: CreateFlags): Record<string, unknown> {
  const labels = flags.label?.map((each) => {
    const at = each.indexOf("=");
    return at < 0 ? [each, ""] : [each.slice(0, at), each.slice(at + 1)];
  });
  const given = {
    browser: flags.browser,
    version: flags.browserVersion,
    headless: flags.headless === undefined
      ? undefined
      : flags.headless === "true"
      ? true
      : flags.headless === "false"
      ? false
      : flags.headless,
    work_pool_id: flags.pool,
    resource_limits: flags.timeoutMinutes === undefined
      ? undefined
      : { timeout_minutes: Number(flags.timeoutMinutes) },
    labels: labels && Object.fromEntries(labels),
  };
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  );
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
        limit: flags.limit,
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
