import { z } from "zod";
import type { ProviderCommand } from "../core/provider.ts";
import { type Command, defineCommand } from "./command.ts";
import { InterruptedError } from "./exit.ts";
import { INLINE } from "./options/schema_options.ts";
import { Shutdown } from "./shutdown.ts";

/** Declares a command of the provider called `provider`. */
export function providerCommand(
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
