import { z } from "zod";
import type { SessionInput } from "../../apps/sessions/schemas.ts";
import { type Command, defineCommand } from "../command.ts";
import { type CommonOptions, connectClient } from "../config.ts";
import { UsageError } from "../exit.ts";
import { optionalText, text } from "../options/option_types.ts";
import { clientOptions } from "../options/shared_options.ts";
import type { Output } from "../output.ts";
import { parseWait, type WaitedSession, waitUntilRunning } from "./wait.ts";

/** `browsergrid session create`. */
export const sessionCreateCommand: Command = defineCommand({
  name: "create",
  description: "Create a session",
  options: declareCreateOptions,
  examples: [
    "session create --wait",
    "session create --pool containers --browser chrome --headless false --screen 1920x1080",
    "session create --argument=--accept-lang=de-DE --argument=--mute-audio",
    "session create --label team=search --timeout-minutes 30 --json",
  ],
  async run({ fields, wait, idempotency_key, ...options }, { output }) {
    const input = await parseInput(fields);
    const seconds = wait && parseWait(wait);
    const client = await connectClient(options, output);
    const created = await client.createSession(input, {
      idempotencyKey: idempotency_key,
    });
    if (!seconds) return printSession(created, options, output);
    output.progress(`Session ${created.id} is created, waiting until it runs`);
    const awaited = { id: created.id, seconds, output };
    printSession(await waitUntilRunning(client, awaited), options, output);
  },
});

async function declareCreateOptions() {
  const { declareFieldOptions } = await import("./field_options.ts");
  return z.object({
    ...clientOptions(),
    fields: declareFieldOptions(),
    wait: optionalText(
      "--wait [seconds]",
      "Wait until the session runs (60)",
    ),
    idempotency_key: text(
      "--idempotency-key <key>",
      "Return the same session for every request with this key within 24 h",
    ),
  });
}

/** Prints the facts that the next step needs; `--json` and `session get` print all. */
function printSession(
  session: WaitedSession,
  { json }: CommonOptions,
  output: Output,
): void {
  if (json) return output.json(session);
  output.print(`Session  ${session.id}
Status   ${session.status}
Connect  ${session.connect_url}
Until    ${session.expires_at}`);
}

async function parseInput(
  fields: Readonly<Record<string, unknown>>,
): Promise<SessionInput> {
  const [{ toCreateBody }, { sessionInputSchema }] = await Promise.all([
    import("./field_options.ts"),
    import("../../apps/sessions/schemas.ts"),
  ]);
  const parsed = sessionInputSchema.safeParse(toCreateBody(fields));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) =>
    `${path.join(".")}: ${message}`
  );
  throw new UsageError(`Cannot create the session: ${faults.join("; ")}`);
}
