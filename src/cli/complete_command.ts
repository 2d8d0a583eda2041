import { Command } from "@commander-js/extra-typings";
import { createClient, type GridClient } from "../client/client.ts";
import { loadedSettings } from "./config.ts";
import type { Output } from "./output.ts";

/** Longest wait for the server: somebody is typing. */
const ANSWER_MS = 2_000;

/** Most names that are offered. */
const LIMIT = 100;

/** Kinds of things whose names a shell asks for. */
export const NAMED = ["sessions", "pools", "workers", "keys"] as const;

/** One of {@linkcode NAMED}. */
export type Named = typeof NAMED[number];

/** Name of the command, which no help shows. */
export const COMPLETE = "__complete";

/** `browsergrid __complete KIND`: ids and names for a shell, one a line; nothing where the server does not answer. */
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
      // A message would stand in the middle of what is being typed.
    }
  });
  return command as unknown as Command; // Without the types of its own arguments.
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

/** Names with blanks would be several words. */
function bothOf(
  items: readonly { readonly id: string; readonly name: string }[],
): readonly string[] {
  return items.flatMap(({ id, name }) => [name, id])
    .filter((word) => /^[\w.-]+$/.test(word));
}
