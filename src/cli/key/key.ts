import { z } from "zod";
import { parseKeyPrefix } from "../../core/redact.ts";
import { type Command, defineCommand } from "../command.ts";
import { connectClient } from "../config.ts";
import { word } from "../options/argument_types.ts";
import { numberText } from "../options/option_types.ts";
import { clientOptions } from "../options/shared_options.ts";
import { renderSeconds } from "../print_record.ts";
import { keyCreateCommand } from "./create.ts";

const listCommand = defineCommand({
  name: "list",
  description: "List the keys by prefix, newest first",
  options: () =>
    z.object({
      ...clientOptions(),
      limit: numberText().prefault("100").meta({
        flags: "--limit <number>",
        description: "at most",
      }),
    }),
  examples: ["key list"],
  async run({ limit, ...options }, { output }) {
    const client = await connectClient(options, output);
    const { items } = await client.listKeys({ limit });
    if (options.json) return output.json(items);
    await output.table(
      ["prefix", "name", "role", "pool", "status", "expires", "last used"],
      items.map((key) => [
        key.prefix,
        key.name,
        key.role,
        key.work_pool_id ?? "",
        key.status,
        key.expires_at ? renderSeconds(key.expires_at) : "never",
        key.last_used_at ? renderSeconds(key.last_used_at) : "never",
      ]),
      ["pool", "last used"],
    );
  },
});

const revokeCommand = defineCommand({
  name: "revoke",
  description: "Revoke a key",
  arguments: { key: word("prefix or id") },
  options: () => z.object(clientOptions()),
  examples: ["key revoke bg_3fKq9TzA"],
  notes: `The server rejects the key at once, other servers within 10 seconds.
WebSockets that are open stay open.`,
  async run({ key, ...options }, { output }) {
    const client = await connectClient(options, output);
    // A whole key must not be part of a URL.
    const ref = parseKeyPrefix(key) ?? key;
    await client.revokeKey(ref);
    if (options.json) output.json({ revoked: ref });
    else output.print(`Key ${ref} is revoked`);
  },
});

/** Commands below `browsergrid key`. */
export const keyCommands: readonly Command[] = [
  keyCreateCommand,
  listCommand,
  revokeCommand,
];
