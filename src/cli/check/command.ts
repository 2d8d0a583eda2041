import {
  type Command,
  type CommandContext,
  defineCommand,
} from "../command.ts";

/** Declares `browsergrid check`. */
export function checkCommand(
  { loadProviders }: Pick<CommandContext, "loadProviders">,
): Command {
  return defineCommand({
    name: "check",
    description: "Check that everything needed for a start is present",
    async options() {
      const [{ checkOptions }, providers] = await Promise.all([
        import("./options.ts"),
        loadProviders(),
      ]);
      return checkOptions(providers.map(({ name }) => name));
    },
    examples: [
      "check",
      "check --provider docker",
      "check --host 0.0.0.0 --port 80",
      "check --json",
    ],
    notes: `Exit code 1: something that "serve" or "worker" needs is missing.
A provider that cannot start browsers counts only if it is named, or if no
other one can. The only change that check makes is to create the data folder.`,
    async run(options, context) {
      const { runChecks } = await import("./check.ts");
      return await runChecks(options, context);
    },
  });
}
