import { z } from "zod";
import type { NewKeyWire } from "../../apps/keys/schemas.ts";
import type { KeyBody } from "../../client/client.ts";
import { ROLES } from "../../core/caller.ts";
import {
  type Command,
  type CommandContext,
  defineCommand,
} from "../command.ts";
import { connectClient } from "../config.ts";
import { word } from "../options/argument_types.ts";
import { flag, text } from "../options/option_types.ts";
import {
  clientOptions,
  type DatabaseCommandOptions,
} from "../options/shared_options.ts";
import { VERSION } from "../version.ts";

/** `browsergrid key create`. */
export const keyCreateCommand: Command = defineCommand({
  name: "create",
  description: "Create a key; it is shown only once",
  arguments: { name: word("purpose of the key") },
  options: keyOptions,
  examples: [
    "key create ci --role client --expires 90d",
    "key create guest --role client --max-sessions 2 --max-queue 10",
    "key create host-7 --role worker --pool containers",
    "key create admin --role admin --direct",
  ],
  notes:
    `Roles: admin may do everything, client uses its own sessions, worker is for
browsergrid worker, metrics reads GET /metrics.`,
  async run({ name, ...options }, context) {
    const { output } = context;
    const body: KeyBody = {
      name,
      role: options.role,
      work_pool_id: options.pool,
      expires_in_days: options.expires,
      max_sessions: options.max_sessions,
      max_queue: options.max_queue,
      max_priority: options.max_priority,
    };
    const created = options.direct
      ? await createWithoutServer(body, options, context)
      : await (await connectClient(options, output)).createKey(body);
    if (options.json) return output.json(created);
    output.print(created.key);
    output.progress(
      `This is the key of "${created.name}" (${created.role}). It is not shown again: save it now`,
    );
  },
});

/** Creates a key in the database, for operators who have no admin key yet, or have lost it. */
async function createWithoutServer(
  body: KeyBody,
  options: DatabaseCommandOptions,
  { output, loadInstalled }: CommandContext,
): Promise<NewKeyWire> {
  const [
    { createDataFolder },
    { lockAgainstRestore, resolveDatabaseSettings },
    { openGrid },
  ] = await Promise.all([
    import("../data_folder.ts"),
    import("../database_file.ts"),
    import("../../server/grid.ts"),
  ]);
  const settings = await resolveDatabaseSettings(options, output);
  createDataFolder(settings);
  using _ = lockAgainstRestore(settings);
  await using grid = await openGrid(settings, {
    ...await loadInstalled(),
    version: VERSION,
  });
  return await grid.keys().create(body);
}

function keyOptions() {
  return z.object({
    ...clientOptions(),
    role: z.enum(ROLES).meta({
      flags: "--role <role>",
      description: "what the key may do",
    }),
    pool: text(
      "--pool <pool>",
      "id or name of the only work pool that it may use",
    ),
    expires: z.string().transform(parseDays).optional().meta({
      flags: "--expires <time>",
      description: "time until it expires: 12h, 90d, 52w (never)",
    }),
    max_sessions: limit().meta({
      flags: "--max-sessions <number>",
      description: "sessions that may start or run at the same time",
    }),
    max_queue: limit().meta({
      flags: "--max-queue <number>",
      description: "sessions that may wait",
    }),
    max_priority: limit().meta({
      flags: "--max-priority <number>",
      description:
        "highest priority of its sessions (default for clients: the pool's)",
    }),
    direct: flag(
      "--direct",
      "write to the database of the settings, without a server",
    ),
    database_url: text(
      "--database-url <url>",
      "with --direct: file:PATH or libsql://HOST",
    ),
    data_dir: text(
      "--data-dir <folder>",
      "with --direct: folder of the database",
    ),
  });
}

/** Returns the schema of a limit, whose range the server checks. */
function limit() {
  return z.string().regex(/^-?\d{1,9}$/, "expected a whole number")
    .transform(Number).optional();
}

const DAYS = { m: 1 / 1_440, h: 1 / 24, d: 1, w: 7, y: 365 } as const;

/** Parses a duration such as `90d` to days. */
function parseDays(text: string, context: z.RefinementCtx): number {
  const [, count = "", unit = ""] = /^(\d+)([mhdwy])$/.exec(text) ?? [];
  const days = Object.entries(DAYS).find(([name]) => name === unit)?.[1];
  if (days !== undefined && Number(count) > 0) return Number(count) * days;
  context.addIssue("expected a number with m, h, d, w or y, such as 90d");
  return z.NEVER;
}
