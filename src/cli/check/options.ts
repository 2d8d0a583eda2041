import { z } from "zod";
import { defineOptions, flag, list, text } from "../options/option_types.ts";
import { commonOptions, databaseOptions } from "../options/shared_options.ts";

/** Declares the options of `browsergrid check`. */
export const checkOptions = defineOptions((providers: readonly string[]) =>
  z.object({
    ...databaseOptions(),
    ...commonOptions(),
    host: text("--host <address>", "address that serve will listen on"),
    port: text("--port <number>", "port that serve will listen on"),
    provider: list(
      "--provider <name...>",
      "check only these providers, and require all of them",
      providers,
    ),
    provider_config: text(
      "--provider-config <json>",
      "check the only named provider with this configuration of a pool, or with a pool, as pool get --json prints it; @FILE reads it from a file",
    ),
    verbose: flag("--verbose", "show the origin of each setting too"),
  })
);
