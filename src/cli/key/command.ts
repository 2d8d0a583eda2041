import { type Command, defineCommand } from "../command.ts";

/** `browsergrid key`. */
export const keyCommand: Command = defineCommand({
  name: "key",
  description: "Manage keys: who may use the grid",
  examples: [
    "key create ci --role client --expires 90d",
    "key create host-7 --role worker --pool containers",
    "key list",
    "key revoke bg_3fKq9TzA",
  ],
  notes: `Once there is a key of an admin, every request needs a key. With
BROWSERGRID_API_KEY set, every request needs one from the start.`,
  async commands() {
    const { keyCommands } = await import("./key.ts");
    return keyCommands;
  },
});
