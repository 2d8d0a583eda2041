import type { GridClient } from "../../client/client.ts";
import { suggestNearest } from "../../core/nearest.ts";
import type { Provider } from "../../core/provider.ts";
import {
  acceptAnySecrets,
  listSecretOptions,
} from "../../core/provider/secret_options.ts";
import { UsageError } from "../exit.ts";
import { readFileValue } from "../options/file_value.ts";
import { declareOptions, toInput } from "../options/schema_options.ts";

type Schema = Provider["configSchema"];
type Config = Readonly<Record<string, unknown>>;

/** The members of a pool that changes of its configuration depend on. */
type ConfiguredPool = Pick<
  Awaited<ReturnType<GridClient["getPool"]>>,
  "provider_config" | "provider_secrets"
>;

/** Returns a whole configuration with its secrets read from the files that `@FILE` names. @throws {UsageError} */
export function readSecretFiles(schema: Schema, config: Config): Config {
  const secrets = listSecretOptions(schema);
  const entries = Object.entries(config).map(([name, value]) =>
    secrets.includes(name) && typeof value === "string"
      ? [name, readFileValue(value)]
      : [name, value]
  );
  return Object.fromEntries(entries);
}

/**
 * Returns the configuration of a pool with changed options.
 *
 * @param texts Changes as `NAME=VALUE`; the value `null` removes an option. No error contains a value, which may be secret.
 * @throws {UsageError} If an option is unknown or its file cannot be read.
 */
export function changeOptions(
  { provider_config, provider_secrets }: ConfiguredPool,
  { name: provider, configSchema }: Pick<Provider, "name" | "configSchema">,
  texts: readonly string[],
): Config {
  const config: Record<string, unknown> = { ...provider_config };
  const known = Object.keys(configSchema.shape);
  const changes = groupByName(texts);
  for (const name of changes.keys()) rejectUnknown(name, { known, provider });
  const removed = [...changes].filter(([, values]) => values.at(-1) === "null")
    .map(([name]) => name);
  for (const name of removed) {
    changes.delete(name);
    delete config[name];
    if (provider_secrets.includes(name)) config[name] = null;
  }
  return {
    ...config,
    ...toInput(configSchema, toValues(configSchema, changes)),
  };
}

function groupByName(
  texts: readonly string[],
): Map<string, readonly string[]> {
  const changes = new Map<string, readonly string[]>();
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at < 1) {
      throw new UsageError(
        "Cannot use --provider-option: a value has no name, expected NAME=VALUE such as capacity=6",
      );
    }
    const name = text.slice(0, at).replaceAll("-", "_");
    changes.set(name, [...changes.get(name) ?? [], text.slice(at + 1)]);
  }
  return changes;
}

function rejectUnknown(
  name: string,
  { known, provider }: {
    readonly known: readonly string[];
    readonly provider: string;
  },
): void {
  if (known.includes(name)) return;
  const hint = suggestNearest(name, known) ||
    `, expected one of ${known.join(", ")}`;
  throw new UsageError(
    `Cannot use --provider-option "${name}": provider "${provider}" has no such option${hint}`,
  );
}

/** Returns the values as commander returns them: lists for options that may be repeated. */
function toValues(
  schema: Schema,
  changes: ReadonlyMap<string, readonly string[]>,
): Config {
  const options = declareOptions(schema).map((option) => {
    const texts = changes.get(option.name().replaceAll("-", "_"));
    return [option.attributeName(), option.variadic ? texts : texts?.at(-1)];
  });
  return Object.fromEntries(options);
}

/** Returns a warning if a pool keeps workers and its provider starts none; undefined otherwise. */
export function findWorkersWarning(
  { min_workers, ...pool }:
    & ConfiguredPool
    & Pick<Awaited<ReturnType<GridClient["getPool"]>>, "min_workers">,
  provider: Provider | undefined,
): string | undefined {
  if (!min_workers || !provider) return undefined;
  const names = pool.provider_secrets;
  const config = acceptAnySecrets(provider.configSchema, names).safeParse({
    ...pool.provider_config,
    ...Object.fromEntries(names.map((name) => [name, "\u2026"])),
  });
  if (!config.success || provider.machines?.(config.data)) return undefined;
  return `The server starts no workers with this configuration of provider "${provider.name}": something else must start the ${min_workers} of min_workers`;
}
