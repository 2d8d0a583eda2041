import { Command, Option } from "@commander-js/extra-typings";
import type { KeyBody } from "../../client/client.ts";
import { ROLES } from "../../core/caller.ts";
import {
  type ClientFlags,
  withClientOptions,
} from "../options/client_flags.ts";
import { clientFrom, settingsFrom } from "../config.ts";
import { openGrid } from "../../server/grid.ts";
import { examples, UsageError } from "../help.ts";
import type { Output } from "../output.ts";
import type { Installed } from "../plugins.ts";
import { VERSION } from "../version.ts";

interface CreateFlags extends ClientFlags {
  readonly role: KeyBody["role"];
  readonly pool?: string | undefined;
  readonly expires?: string | undefined;
  readonly maxSessions?: string | undefined;
  readonly maxQueue?: string | undefined;
  readonly maxPriority?: string | undefined;
  readonly direct?: boolean | undefined;
  readonly databaseUrl?: string | undefined;
  readonly dataDir?: string | undefined;
}

/** `browsergrid key create`. */
export function keyCreateCommand(
  output: Output,
  installed: Installed,
): Command {
  const command = withClientOptions(new Command("create"))
    .description("Make a key; it is shown this once")
    .argument("<name>", "what it is for")
    .addOption(
      new Option("--role <role>", "what it is good for").choices(ROLES)
        .makeOptionMandatory(),
    )
    .option("--pool <pool>", "id or name of the only work pool it is good for")
    .option("--expires <time>", "how long it is good: 12h, 90d, 52w (for ever)")
    .option(
      "--max-sessions <number>",
      "sessions that may start or run at the same time",
    )
    .option("--max-queue <number>", "sessions that may wait")
    .option(
      "--max-priority <number>",
      "highest priority of its sessions (default for clients: the pool's)",
    )
    .option(
      "--direct",
      "write to the database of the settings, without a server",
    )
    .option("--database-url <url>", "with --direct: file:PATH or libsql://HOST")
    .option("--data-dir <folder>", "with --direct: folder of the database")
    .addHelpText(
      "after",
      examples(
        [
          "key create ci --role client --expires 90d",
          "key create guest --role client --max-sessions 2 --max-queue 10",
          "key create host-7 --role worker --pool containers",
          "key create admin --role admin --direct",
        ],
        "Roles: admin may do everything, client uses sessions of its own, worker is for\nbrowsergrid worker.",
      ),
    );
  command.action(async (name) => {
    const flags = command.opts() as CreateFlags; // The options above.
    const body: KeyBody = {
      name,
      role: flags.role,
      ...(flags.pool === undefined ? {} : { work_pool_id: flags.pool }),
      ...(flags.expires === undefined
        ? {}
        : { expires_in_days: daysOf(flags.expires) }),
      ...limit("max_sessions", flags.maxSessions),
      ...limit("max_queue", flags.maxQueue),
      ...limit("max_priority", flags.maxPriority),
    };
    const made = flags.direct
      ? await createDirectly(body, flags, { output, installed })
      : await (await clientFrom(flags, output)).createKey(body);
    if (flags.json) return output.json(made);
    output.print(made.key);
    output.progress(
      `This is the key of "${made.name}" (${made.role}). It is not shown again: keep it now`,
    );
  });
  return command as unknown as Command; // Without the types of its own options.
}

/** For whoever may write to the database, and has no key yet, or no more. */
async function createDirectly(
  body: KeyBody,
  flags: CreateFlags,
  { output, installed }: {
    readonly output: Output;
    readonly installed: Installed;
  },
) {
  const settings = await settingsFrom(
    { database_url: flags.databaseUrl, data_dir: flags.dataDir },
    flags,
    output,
  );
  await Deno.mkdir(settings.data_dir, { recursive: true });
  await using grid = await openGrid(settings, {
    ...installed,
    version: VERSION,
  });
  return await grid.keys().create(body);
}

/** Parses a limit of the key, if the option is present. */
function limit<K extends string>(
  name: K,
  text: string | undefined,
): { readonly [N in K]?: number } {
  if (text === undefined) return {};
  if (/^-?\d{1,9}$/.test(text)) {
    // The type of a computed name is wider than the name.
    return { [name]: Number(text) } as { readonly [N in K]?: number };
  }
  throw new UsageError(
    `Cannot use --${name.replace("_", "-")} "${text}": expected a whole number`,
  );
}

const DAYS = { m: 1 / 1_440, h: 1 / 24, d: 1, w: 7, y: 365 } as const;

/** Days of a duration such as `90d`. */
function daysOf(text: string): number {
  const [, count = "", unit = ""] = /^(\d+)([mhdwy])$/.exec(text) ?? [];
  const days = Object.entries(DAYS).find(([name]) => name === unit)?.[1];
  if (days !== undefined && Number(count) > 0) return Number(count) * days;
  throw new UsageError(
    `Cannot use --expires "${text}": expected a number with m, h, d, w or y, such as 90d`,
  );
}
