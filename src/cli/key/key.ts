import { Command } from "@commander-js/extra-typings";
import { parseKeyPrefix } from "../../core/redact.ts";
import {
  type ClientFlags,
  shortTime,
  withClientOptions,
} from "../options/client_flags.ts";
import { clientFrom } from "../config.ts";
import { examples } from "../help.ts";
import { keyCreateCommand } from "./create.ts";
import type { Output } from "../output.ts";
import type { Installed } from "../plugins.ts";

/** `browsergrid key`. */
export function keyCommand(output: Output, installed: Installed): Command {
  return new Command("key").description("Keys: who may use the grid")
    .addHelpText(
      "after",
      examples(
        [
          "key create ci --role client --expires 90d",
          "key create host-7 --role worker --pool containers",
          "key list",
          "key revoke bg_3fKq9TzA",
        ],
        "From the first key of an admin on, every request needs a key. With\nBROWSERGRID_API_KEY set it does so already.",
      ),
    )
    .addCommand(keyCreateCommand(output, installed))
    .addCommand(listCommand(output))
    .addCommand(revokeCommand(output));
}

function listCommand(output: Output): Command {
  const command = withClientOptions(new Command("list"))
    .description("List the keys, newest first; none is shown whole")
    .option("--limit <number>", "at most", "100")
    .addHelpText("after", examples(["key list"]));
  command.action(async (flags: ClientFlags & { limit?: string }) => {
    const client = await clientFrom(flags, output);
    const { items } = await client.listKeys({ limit: Number(flags.limit) });
    if (flags.json) return output.json(items);
    output.table(
      ["prefix", "name", "role", "pool", "status", "expires", "last used"],
      items.map((key) => [
        key.prefix,
        key.name,
        key.role,
        key.work_pool_id ?? "",
        key.status,
        key.expires_at ? shortTime(key.expires_at) : "never",
        key.last_used_at ? shortTime(key.last_used_at) : "never",
      ]),
      ["pool", "last used"],
    );
  });
  return command as unknown as Command; // Without the types of its own options.
}

function revokeCommand(output: Output): Command {
  const command = withClientOptions(new Command("revoke"))
    .description("Have a key refused from now on")
    .argument("<key>", "prefix or id")
    .addHelpText(
      "after",
      examples(
        ["key revoke bg_3fKq9TzA"],
        "It is refused at once by the server that is asked, within 10 seconds by others.\nWebSockets that are open stay open.",
      ),
    );
  command.action(async (given, flags: ClientFlags) => {
    const client = await clientFrom(flags, output);
    // A whole key must not stand in a URL.
    const ref = parseKeyPrefix(given) ?? given;
    await client.revokeKey(ref);
    if (flags.json) output.json({ revoked: ref });
    else output.print(`Key ${ref} is revoked`);
  });
  return command as unknown as Command; // Without the types of its own arguments.
}
