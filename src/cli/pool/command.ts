import {
  type Command,
  type CommandContext,
  defineCommand,
} from "../command.ts";

/** Declares `browsergrid pool`. */
export function poolCommand(
  { loadProviders }: Pick<CommandContext, "loadProviders">,
): Command {
  return defineCommand({
    name: "pool",
    description: "Create and manage work pools",
    examples: [
      "pool create docker --name containers --browser chrome",
      "pool list",
      "pool update containers --max-sessions 20",
      "pool start-worker containers --capacity 10",
    ],
    async commands() {
      const { poolCommands } = await import("./pool.ts");
      return poolCommands(loadProviders);
    },
  });
}
