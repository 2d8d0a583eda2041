import type { GridClient } from "../../client/client.ts";
import { type Command, defineCommand } from "../command.ts";
import { explainSettings } from "../config.ts";
import { word } from "../options/argument_types.ts";

/** Timeout of the server's response. Short, because the user is typing. */
const RESPONSE_MS = 2_000;

/** Maximum number of names that are offered. */
const LIMIT = 100;

/** Kinds of records whose names a shell completes. */
export const NAMED = [
  "sessions",
  "pools",
  "workers",
  "keys",
  "webhooks",
] as const;

/** One of {@linkcode NAMED}. */
export type NamedRecord = typeof NAMED[number];

/** Name of the command, which is hidden from help. */
export const COMPLETE = "__complete";

/**
 * `browsergrid __complete KIND`: prints ids and names for a shell, one per line; prints nothing if the server does not
 * respond.
 */
export const completeCommand: Command = defineCommand({
  name: COMPLETE,
  description: "",
  isHidden: true,
  arguments: { kind: word("") },
  async run({ kind }, { output }) {
    try {
      const { settings } = await explainSettings({}, {});
      const { createClient } = await import("../../client/client.ts");
      const client = createClient({
        apiUrl: settings.api_url,
        apiKey: settings.api_key,
        timeoutMs: RESPONSE_MS,
      });
      for (const word of await listWords(client, kind)) output.print(word);
    } catch {
      // A message would interrupt the line that the user is typing.
    }
  },
});

async function listWords(
  client: GridClient,
  kind: string,
): Promise<readonly string[]> {
  const page = { limit: LIMIT };
  switch (kind) {
    case "sessions":
      return (await client.listSessions(page)).items.map(({ id }) => id);
    case "pools":
      return listNamesAndIds((await client.listPools(page)).items);
    case "workers":
      return listNamesAndIds((await client.listWorkers(page)).items);
    case "webhooks":
      return (await client.listWebhooks(page)).items.map(({ id }) => id);
    case "keys":
      return (await client.listKeys(page)).items.map(({ prefix }) => prefix);
    default:
      return [];
  }
}

/** Skips names with blanks, which the shell would split into words. */
function listNamesAndIds(
  items: readonly { readonly id: string; readonly name: string }[],
): readonly string[] {
  return items.flatMap(({ id, name }) => [name, id])
    .filter((word) => /^[\w.-]+$/.test(word));
}
