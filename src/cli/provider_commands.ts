import { Command } from "@commander-js/extra-typings";
import type { Provider, ProviderCommand } from "../core/provider.ts";
import { listenForShutdown } from "../core/shutdown.ts";
import type { Output } from "./output.ts";
import { optionsOfSchema, valuesOfSchema } from "./schema_options.ts";

/** The commands that providers bring: `browsergrid docker build-image`. */
export function providerCommands(
  providers: readonly Provider[],
  output: Output,
): readonly Command[] {
  return providers.filter(({ commands }) => commands?.length).map(
    (provider) => {
      const group = new Command(provider.name).description(
        `Commands of the provider ${provider.displayName}`,
      );
      for (const each of provider.commands ?? []) {
        group.addCommand(commandOf(each, output));
      }
      return group;
    },
  );
}

function commandOf(
  { name, description, optionsSchema, run }: ProviderCommand,
  output: Output,
): Command {
  const command = new Command(name).description(description);
  for (const { option } of optionsOfSchema(optionsSchema)) {
    command.addOption(option);
  }
  command.action(async (given) => {
    using shutdown = listenForShutdown();
    const options = optionsSchema.parse(valuesOfSchema(optionsSchema, given));
    output.print(
      await run(options, {
        onProgress: (line) => output.progress(line),
        signal: shutdown.stop,
      }),
    );
  });
  return command;
}
