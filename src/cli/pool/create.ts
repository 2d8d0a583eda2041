import { Command } from "@commander-js/extra-typings";
import type { PoolBody } from "../../client/client.ts";
import type { Provider } from "../../core/provider.ts";
import {
  type ClientFlags,
  showRecord,
  withClientOptions,
} from "../options/client_flags.ts";
import { clientFrom } from "../config.ts";
import { examples, UsageError } from "../help.ts";
import type { Output } from "../output.ts";
import { poolChangeOptions, poolFieldOptions, poolFields } from "./options.ts";
import {
  optionsOfSchema,
  requiredOptions,
  valuesOfSchema,
} from "../options/schema_options.ts";

/** `browsergrid pool create PROVIDER`. */
export function poolCreateCommand(provider: Provider, output: Output): Command {
  const command = withClientOptions(new Command(provider.name))
    .description(`${provider.displayName}: ${provider.description}`)
    .requiredOption("--name <name>", "name of the work pool");
  const { configSchema } = provider;
  const own = optionsOfSchema(configSchema);
  for (const option of poolFieldOptions(own.map(({ name }) => name))) {
    command.addOption(option);
  }
  for (const { option } of own) command.addOption(option);
  const needed = requiredOptions(configSchema).map((flag) => `${flag} …`);
  const line = [`pool create ${provider.name} --name my-pool`, ...needed].join(
    " ",
  );
  command.addHelpText("after", examples([line, `${line} --max-sessions 20`]));
  command.action(async () => {
    const flags: Readonly<Record<string, unknown>> = command.opts();
    const client = await clientFrom(flags as ClientFlags, output); // The options above.
    const config = configSchema.safeParse(valuesOfSchema(configSchema, flags));
    if (!config.success) {
      const faults = config.error.issues.map(({ path, message }) =>
        `--${path.join(".").replaceAll("_", "-")}: ${message}`
      );
      throw new UsageError(`Cannot create the work pool: ${faults.join("; ")}`);
    }
    const body: PoolBody = {
      ...provider.poolConfig?.(config.data),
      ...poolFields(flags),
      name: String(flags.name),
      provider_type: provider.name,
      provider_config: config.data,
    };
    const { warnings, ...made } = await client.createPool(body);
    for (const warning of warnings) output.progress(`Warning: ${warning}`);
    showRecord(flags.json ? { ...made, warnings } : made, flags.json, output);
  });
  return command as unknown as Command; // Without the types of its own options.
}

/** `browsergrid pool update POOL`. */
export function poolUpdateCommand(output: Output): Command {
  const command = withClientOptions(new Command("update"))
    .description("Change a work pool: what is given is changed")
    .argument("<pool>", "id or name")
    .option("--name <name>", "new name")
    .addHelpText(
      "after",
      examples(
        [
          "pool update containers --max-sessions 20 --priority 3",
          "pool update containers --max-sessions null",
          "pool update containers --allowed-arguments '--lang,--user-agent,--force-*'",
        ],
        "null takes a limit or default away.",
      ),
    );
  for (const option of poolChangeOptions()) command.addOption(option);
  command.action(async (ref) => {
    const flags: Readonly<Record<string, unknown>> = command.opts();
    const client = await clientFrom(flags as ClientFlags, output); // The options above.
    const name = flags.name === undefined ? {} : { name: String(flags.name) };
    const pool = await client.patchPool(ref, { ...poolFields(flags), ...name });
    showRecord(pool, flags.json, output);
  });
  return command as unknown as Command; // Without the types of its own options.
}
