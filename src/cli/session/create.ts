import { Command } from "@commander-js/extra-typings";
import {
  type SessionInput,
  sessionInputSchema,
} from "../../apps/sessions/schemas.ts";
import { clientFrom } from "../config.ts";
import { examples, UsageError } from "../help.ts";
import {
  type ClientFlags,
  withClientOptions,
} from "../options/client_flags.ts";
import type { Output } from "../output.ts";
import { createFieldOptions, parseFieldOptions } from "./field_options.ts";
import { type Session, waitSeconds, waitUntilRunning } from "./wait.ts";

interface CreateFlags extends ClientFlags {
  readonly wait?: string | true;
  readonly idempotencyKey?: string;
}

/** `browsergrid session create`. */
export function sessionCreateCommand(output: Output): Command {
  const command = withClientOptions(new Command("create"));
  const fieldOptions = createFieldOptions();
  for (const { option } of fieldOptions) command.addOption(option);
  command.description("Create a session")
    .option("--wait [seconds]", "Wait until the session runs (60)")
    .option(
      "--idempotency-key <key>",
      "Return the same session for every request with this key within 24 h",
    )
    .addHelpText(
      "after",
      examples([
        "session create --wait",
        "session create --pool containers --browser chrome --headless false --screen 1920x1080",
        "session create --argument=--accept-lang=de-DE --argument=--mute-audio",
        "session create --label team=search --timeout-minutes 30 --json",
      ]),
    );
  command.action(async (flags: CreateFlags) => {
    const input = parseInput(parseFieldOptions(fieldOptions, { ...flags }));
    const seconds = flags.wait && waitSeconds(flags.wait);
    const client = await clientFrom(flags, output);
    const created = await client.createSession(input, {
      idempotencyKey: flags.idempotencyKey,
    });
    if (!seconds) return printSession(created, flags, output);
    output.progress(`Session ${created.id} is created, waiting until it runs`);
    const options = { id: created.id, seconds, output };
    printSession(await waitUntilRunning(client, options), flags, output);
  });
  return command;
}

/** Prints the facts that the next step needs; `--json` and `session get` print all. */
function printSession(
  session: Session,
  { json }: CreateFlags,
  output: Output,
): void {
  if (json) return output.json(session);
  output.print(`Session  ${session.id}
Status   ${session.status}
Connect  ${session.connect_url}
Until    ${session.expires_at}`);
}

function parseInput(body: Record<string, unknown>): SessionInput {
  const parsed = sessionInputSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) =>
    `${path.join(".")}: ${message}`
  );
  throw new UsageError(`Cannot create the session: ${faults.join("; ")}`);
}
