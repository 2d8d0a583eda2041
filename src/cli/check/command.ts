import { z } from "@hono/zod-openapi";
import type { Provider } from "../../core/provider.ts";
import { type Command, defineCommand } from "../command.ts";
import { flag, list, text } from "../options/option_types.ts";
import { commonOptions, databaseOptions } from "../options/shared_options.ts";

/** Declares `browsergrid check`. */
export function checkCommand(providers: readonly Provider[]): Command {
  return defineCommand({
    name: "check",
    description: "Check that everything needed for a start is present",
    options: () => checkOptions(providers.map(({ name }) => name)),
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

function checkOptions(providers: readonly string[]) {
  return z.object({
    ...databaseOptions(),
    ...commonOptions(),
    host: text("--host <address>", "address that serve will listen on"),
    port: text("--port <number>", "port that serve will listen on"),
    provider: list(
      "--provider <name...>",
      "check only these providers, and require all of them",
      providers,
    ),
    verbose: flag("--verbose", "show the origin of each setting too"),
  });
}
