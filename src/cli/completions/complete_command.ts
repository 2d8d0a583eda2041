import { Command } from "@commander-js/extra-typings";
import { createClient, type GridClient } from "../../client/client.ts";
import { loadedSettings } from "../config.ts";
import type { Output } from "../output.ts";

/** Timeout of the server's response. Short, because the user is typing. */
const ANSWER_MS = 2_000;

/** Maximum number of names that are offered. */
const LIMIT = 100;

/** Kinds of records whose names a shell completes. */
export const NAMED = ["sessions", "pools", "workers", "keys"] as const;

/** One of {@linkcode NAMED}. */
export type Named = typeof NAMED[number];

/** Name of the command, which is hidden from help. */
export const COMPLETE = "__complete";

/**
 * `browsergrid __complete KIND`: prints ids and names for a shell, one per line; prints nothing if the server does not
 * respond.
 */
export function completeCommand(output: Output): Command {
  const command = new Command(COMPLETE).argument("<kind>");
  command.action(async (kind) => {
    try {
      const { settings } = await loadedSettings({}, {});
      const client = createClient({
        apiUrl: settings.api_url,
        apiKey: settings.api_key,
        timeoutMs: ANSWER_MS,
      });
      for (const word of await wordsOf(client, kind)) output.print(word);
    } catch {
      // A message would interrupt the line that the user is typing.
    }
  });
  return command as unknown as Command; // Drops the types of its arguments.
}

async function wordsOf(
  client: GridClient,
  kind: string,
): Promise<readonly string[]> {
  const page = { limit: LIMIT };
  switch (kind) {
    case "sessions":
      return (await client.listSessions(page)).items.map(({ id }) => id);
    case "pools":
      return bothOf((await client.listPools(page)).items);
    case "workers":
      return bothOf((await client.listWorkers(page)).items);
    case "keys":
      return (await client.listKeys(page)).items.map(({ prefix }) => prefix);
    default:
      return [];
  }
}

/** Skips names with blanks, which the shell would split into words. */
function bothOf(
  items: readonly { readonly id: string; readonly name: string }[],
): readonly string[] {
  return items.flatMap(({ id, name }) => [name, id])
    .filter((word) => /^[\w.-]+$/.test(word));
}
