import {
  type Command,
  type CommandContext,
  type CommandProvider,
  defineCommand,
} from "./command.ts";

/** Built-in providers with commands. A test compares them with the providers. */
export const COMMAND_PROVIDERS: readonly CommandProvider[] = [
  { name: "docker", displayName: "Docker" },
];

/** Declares the commands of providers, such as `browsergrid docker build-image`. */
export function providerCommands(
  { commandProviders, loadProviders }: Pick<
    CommandContext,
    "commandProviders" | "loadProviders"
  >,
): readonly Command[] {
  return commandProviders.map(({ name, displayName }) => {
    let examples: readonly string[] = [];
    return defineCommand({
      name,
      description: `Commands of the provider ${displayName}`,
      get examples() {
        return examples;
      },
      async commands() {
        const [{ providerCommand }, providers] = await Promise.all([
          import("./provider_command.ts"),
          loadProviders(),
        ]);
        const { commands = [] } = providers.find((each) =>
          each.name === name
        ) ?? {};
        examples = commands.map((command) => `${name} ${command.name}`);
        return commands.map((command) => providerCommand(command, name));
      },
    });
  });
}
