import { z } from "@hono/zod-openapi";
import type { Provider } from "../../core/provider.ts";
import { type Command, defineCommand } from "../command.ts";
import { connectClient } from "../config.ts";
import { INLINE, listRequiredFlags } from "../options/schema_options.ts";
import { text } from "../options/option_types.ts";
import { clientOptions } from "../options/shared_options.ts";
import { printRecord } from "../print_record.ts";

/** Declares `browsergrid pool create PROVIDER`. */
export function poolCreateCommand(provider: Provider): Command {
  const { name, displayName, description, configSchema } = provider;
  return defineCommand({
    name,
    description: `${displayName}: ${description}`,
    async options() {
      const { declarePoolOptions } = await import("./field_options.ts");
      return z.object({
        ...clientOptions(),
        name: z.string().meta({
          flags: "--name <name>",
          description: "name of the work pool",
        }),
        fields: declarePoolOptions(Object.keys(configSchema.shape)),
        provider_config: configSchema.meta(INLINE),
      });
    },
    get examples() {
      const required = listRequiredFlags(configSchema);
      const line = [
        `pool create ${name} --name my-pool`,
        ...required.map((flag) => `${flag} …`),
      ].join(" ");
      return [line, `${line} --max-sessions 20`];
    },
    async run({ fields, provider_config, ...options }, { output }) {
      const { toPoolPatch } = await import("./field_options.ts");
      const client = await connectClient(options, output);
      const { warnings, ...pool } = await client.createPool({
        ...provider.poolConfig?.(provider_config),
        ...toPoolPatch(fields),
        name: options.name,
        provider_type: name,
        provider_config,
      });
      for (const warning of warnings) output.progress(`Warning: ${warning}`);
      const record = options.json ? { ...pool, warnings } : pool;
      await printRecord(record, options, output);
    },
  });
}

/** `browsergrid pool update POOL`. */
export const poolUpdateCommand: Command = defineCommand({
  name: "update",
  description: "Change a work pool",
  arguments: () => z.object({ pool: z.string().describe("id or name") }),
  async options() {
    const { declarePoolChangeOptions } = await import("./field_options.ts");
    return z.object({
      ...clientOptions(),
      name: text("--name <name>", "new name"),
      fields: declarePoolChangeOptions(),
    });
  },
  examples: [
    "pool update containers --max-sessions 20 --priority 3",
    "pool update containers --max-sessions null",
    "pool update containers --allowed-arguments '--lang,--user-agent,--force-*'",
  ],
  notes: "null removes a limit or default.",
  async run({ pool: ref, name, fields, ...options }, { output }) {
    const { toPoolPatch } = await import("./field_options.ts");
    const client = await connectClient(options, output);
    const pool = await client.patchPool(ref, {
      ...toPoolPatch(fields),
      ...(name === undefined ? {} : { name }),
    });
    await printRecord(pool, options, output);
  },
});
