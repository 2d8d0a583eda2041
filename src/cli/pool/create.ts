import { z } from "zod";
import type { GridClient } from "../../client/client.ts";
import type { Provider } from "../../core/provider.ts";
import {
  type Command,
  type CommandContext,
  defineCommand,
} from "../command.ts";
import { UsageError } from "../exit.ts";
import { connectClient } from "../config.ts";
import { word } from "../options/argument_types.ts";
import { INLINE, listRequiredFlags } from "../options/schema_options.ts";
import { list, text } from "../options/option_types.ts";
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
        ...required.map((flag) => `${flag} \u2026`),
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
      const { findWorkersWarning } = await import("./provider_config.ts");
      const idle = findWorkersWarning(pool, provider);
      if (idle !== undefined) output.progress(`Warning: ${idle}`);
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
  arguments: { pool: word("id or name") },
  async options() {
    const { declarePoolChangeOptions } = await import("./field_options.ts");
    return z.object({
      ...clientOptions(),
      name: text("--name <name>", "new name"),
      fields: declarePoolChangeOptions(),
      provider_option: list(
        "--provider-option <name=value...>",
        "options of the provider to change; null removes one, @FILE reads a secret from a file",
      ),
    });
  },
  examples: [
    "pool update containers --max-sessions 20 --priority 3",
    "pool update containers --max-sessions null",
    "pool update cloud --provider-option capacity=6 client_secret=@new-secret",
    "pool update containers --allowed-arguments '--lang,--user-agent,--force-*'",
  ],
  notes: "null removes a limit or default.",
  async run(input, { output, loadProviders }) {
    const { pool: ref, name, fields, provider_option, ...options } = input;
    const { toPoolPatch } = await import("./field_options.ts");
    const client = await connectClient(options, output);
    const patch = toPoolPatch(fields);
    const { provider_config: whole } = patch;
    const change = { whole, options: provider_option };
    const provider_config = whole || provider_option
      ? await resolveConfig(await client.getPool(ref), change, loadProviders)
      : undefined;
    const pool = await client.patchPool(ref, {
      ...patch,
      ...(provider_config === undefined ? {} : { provider_config }),
      ...(name === undefined ? {} : { name }),
    });
    if (patch.min_workers) {
      const { findWorkersWarning } = await import("./provider_config.ts");
      const provider = (await loadProviders()).find((each) =>
        each.name === pool.provider_type
      );
      const warning = findWorkersWarning(pool, provider);
      if (warning !== undefined) output.progress(`Warning: ${warning}`);
    }
    await printRecord(pool, options, output);
  },
});

/** A change of a provider's configuration: a whole one, or single options as `NAME=VALUE`. */
interface ConfigChange {
  readonly whole?: Readonly<Record<string, unknown>> | undefined;
  readonly options?: readonly string[] | undefined;
}

/** Returns the new configuration of a pool. @throws {UsageError} */
async function resolveConfig(
  pool: Awaited<ReturnType<GridClient["getPool"]>>,
  { whole, options }: ConfigChange,
  loadProviders: CommandContext["loadProviders"],
): Promise<Record<string, unknown>> {
  const { changeOptions, readSecretFiles } = await import(
    "./provider_config.ts"
  );
  const provider = (await loadProviders()).find(({ name }) =>
    name === pool.provider_type
  );
  if (whole && options) {
    throw new UsageError(
      "Cannot use --provider-option with --provider-config, which replaces all options: expected one of them",
    );
  }
  if (whole) {
    return {
      ...(provider ? readSecretFiles(provider.configSchema, whole) : whole),
    };
  }
  if (!provider) {
    throw new UsageError(
      `Cannot use --provider-option: provider "${pool.provider_type}" is not installed here, expected its plugin or --provider-config`,
    );
  }
  return { ...changeOptions(pool, provider, options ?? []) };
}
