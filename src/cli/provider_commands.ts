import { z } from "@hono/zod-openapi";
import type { Provider, ProviderCommand } from "../core/provider.ts";
import { type Command, defineCommand } from "./command.ts";
import { InterruptedError } from "./exit.ts";
import { INLINE } from "./options/schema_options.ts";
import { Shutdown } from "./shutdown.ts";

/** Declares the commands of providers, such as `browsergrid docker build-image`. */
export function providerCommands(
  providers: readonly Provider[],
): readonly Command[] {
  return providers.flatMap(({ name, displayName, commands = [] }) =>
    commands.length === 0 ? [] : defineCommand({
      name,
      description: `Commands of the provider ${displayName}`,
      examples: commands.map((command) => `${name} ${command.name}`),
      commands: commands.map((command) => toCommand(command, name)),
    })
  );
}

function toCommand(
  { name, description, optionsSchema = z.strictObject({}), run }:
    ProviderCommand,
  provider: string,
): Command {
  return defineCommand({
    name,
    description,
    options: () =>
      z.object({
        options: optionsSchema.meta(INLINE),
        // Its value is the provider's if the provider declares the same option.
        json: z.unknown().optional().meta({
          flags: "--json",
          description: "print JSON",
        }),
      }),
    examples: [`${provider} ${name}`],
    async run({ options, json }, { output }) {
      using shutdown = Shutdown.listen();
      const result = await run(options, {
        onProgress: (line) => output.progress(line),
        signal: shutdown.stop,
      }).catch((cause: unknown) => {
        if (!shutdown.stop.aborted) throw cause;
        throw new InterruptedError(`Stopped ${provider} ${name}`, { cause });
      });
      if (json) output.json({ result });
      else output.print(result);
    },
  });
}
