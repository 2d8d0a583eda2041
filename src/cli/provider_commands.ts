import { Command } from "@commander-js/extra-typings";
import type { Provider, ProviderCommand } from "../core/provider.ts";
import { listenForShutdown } from "./shutdown.ts";
import { examples, InterruptedError } from "./help.ts";
import type { Output } from "./output.ts";
import { optionsOfSchema, valuesOfSchema } from "./options/schema_options.ts";

/** The commands that providers bring: `browsergrid docker build-image`. */
export function providerCommands(
  providers: readonly Provider[],
  output: Output,
): readonly Command[] {
  return providers.filter(({ commands }) => commands?.length).map(
    (provider) => {
      const group = new Command(provider.name).description(
        `Commands of the provider ${provider.displayName}`,
      ).addHelpText(
        "after",
        examples(
          (provider.commands ?? []).map(({ name }) =>
            `${provider.name} ${name}`
          ),
        ),
      );
      for (const each of provider.commands ?? []) {
        group.addCommand(commandOf(each, { provider: provider.name, output }));
      }
      return group;
    },
  );
}

function commandOf(
  { name, description, optionsSchema, run }: ProviderCommand,
  { provider, output }: {
    readonly provider: string;
    readonly output: Output;
  },
): Command {
  const command = new Command(name).description(description).addHelpText(
    "after",
    examples([`${provider} ${name}`]),
  );
  for (const { option } of optionsOfSchema(optionsSchema)) {
    command.addOption(option);
  }
  if (!Object.hasOwn(optionsSchema.shape, "json")) {
    command.option("--json", "print JSON");
  }
  command.action(async (given: Readonly<Record<string, unknown>>) => {
    using shutdown = listenForShutdown();
    const options = optionsSchema.parse(valuesOfSchema(optionsSchema, given));
    const context = {
      onProgress: (line: string) => output.progress(line),
      signal: shutdown.stop,
    };
    const result = await run(options, context).catch((cause: unknown) => {
      if (!shutdown.stop.aborted) throw cause;
      throw new InterruptedError(`Stopped ${provider} ${name}`, { cause });
    });
    if (given.json) output.json({ result });
    else output.print(result);
  });
  return command;
}
