/**
 * `browsergrid session list`, `get` and `events`.
 *
 * @module
 */
import { z } from "zod";
import { SESSION_STATUSES } from "../../apps/sessions/status.ts";
import type { GridClient } from "../../client/client.ts";
import { type Command, defineCommand } from "../command.ts";
import { type CommonOptions, connectClient } from "../config.ts";
import { word } from "../options/argument_types.ts";
import { numberText, text } from "../options/option_types.ts";
import { clientOptions } from "../options/shared_options.ts";
import type { Output } from "../output.ts";
import { printRecord, renderSeconds } from "../print_record.ts";

/** `browsergrid session list`. */
export const listCommand: Command = defineCommand({
  name: "list",
  description: "List the sessions, newest first",
  options: () =>
    z.object({
      ...clientOptions(),
      status: text(
        "--status <status>",
        "one, or several with commas between",
        SESSION_STATUSES,
      ),
      pool: text("--pool <id>", "of this work pool"),
      limit: numberText().prefault("50").meta({
        flags: "--limit <number>",
        description: "at most",
      }),
    }),
  examples: [
    "session list",
    "session list --status pending,starting,running",
    "session list --limit 500 --json",
  ],
  async run({ status, pool, limit, ...options }, { output }) {
    const client = await connectClient(options, output);
    const { items } = await client.listSessions({
      status,
      work_pool_id: pool,
      limit,
    });
    if (options.json) return output.json(items);
    await output.table(
      ["id", "status", "browser", "provider", "created", "reason"],
      items.map((session) => [
        session.id,
        session.status,
        `${session.browser} ${session.version}`,
        session.provider,
        renderSeconds(session.created_at),
        (session.status_reason ?? "").split("\n")[0]?.slice(0, 60) ?? "",
      ]),
      ["provider", "created"],
    );
  },
});

/** Output and format of a command of one session. */
interface Target extends CommonOptions {
  readonly output: Output;
}

/** Declares a command of one session. */
function defineSessionCommand(
  name: string,
  description: string,
  print: (client: GridClient, id: string, target: Target) => Promise<void>,
): Command {
  return defineCommand({
    name,
    description,
    arguments: { session: word("id") },
    options: () => z.object(clientOptions()),
    examples: [`session ${name} SESSION`, `session ${name} SESSION --json`],
    async run({ session, ...options }, { output }) {
      const client = await connectClient(options, output);
      await print(client, session, { ...options, output });
    },
  });
}

/** `browsergrid session get`. */
export const getCommand: Command = defineSessionCommand(
  "get",
  "Show a session",
  async (client, id, { json, output }) =>
    await printRecord(await client.getSession(id), { json }, output),
);

/** `browsergrid session events`. */
export const eventsCommand: Command = defineSessionCommand(
  "events",
  "List the events of a session",
  async (client, id, { json, output }) => {
    const { items } = await client.listSessionEvents(id);
    if (json) return output.json(items);
    await output.table(
      ["time", "event", "data"],
      items.map(({ timestamp, event, data }) => [
        renderSeconds(timestamp),
        event,
        renderData(data),
      ]),
    );
  },
);

function renderData(data: Readonly<Record<string, unknown>>): string {
  return Object.entries(data).map(([name, value]) =>
    `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`
  ).join(", ");
}
