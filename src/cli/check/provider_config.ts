import { z } from "zod";
import type { CheckResult } from "../../core/provider.ts";
import { UsageError } from "../exit.ts";
import { readFileValue } from "../options/file_value.ts";

/** The configuration with which a provider is checked. */
export interface GivenConfig {
  /** Undefined if the options have none. */
  readonly config: unknown;
  /** Names of the secret options that the pool has and its output lacks. */
  readonly missingSecrets: readonly string[];
}

/** The members of a pool, as `pool get --json` prints it, that describe its provider. */
const poolSchema = z.object({
  provider_type: z.string(),
  provider_config: z.record(z.string(), z.unknown()),
  provider_secrets: z.array(z.string()).default([]),
});

/**
 * Returns the configuration in the options, which may be a whole pool.
 *
 * @throws {UsageError} If it is not JSON, not for one provider, or of a pool of another provider.
 */
export function parseConfig(
  { provider, provider_config: text }: {
    readonly provider?: readonly string[] | undefined;
    readonly provider_config?: string | undefined;
  },
): GivenConfig {
  if (text === undefined) return { config: undefined, missingSecrets: [] };
  const [name] = provider ?? [];
  if (provider?.length !== 1) {
    throw new UsageError(
      `Cannot use --provider-config for ${
        provider?.length ?? "all"
      } providers, expected one --provider`,
    );
  }
  const config = parseJson(readFileValue(text));
  const pool = poolSchema.safeParse(config).data;
  if (pool === undefined) return { config, missingSecrets: [] };
  if (pool.provider_type !== name) {
    throw new UsageError(
      `Cannot use --provider-config for provider "${name}": it is a pool of another provider, expected --provider ${
        JSON.stringify(pool.provider_type.slice(0, 100))
      }`,
    );
  }
  return {
    config: pool.provider_config,
    missingSecrets: pool.provider_secrets.filter((secret) =>
      !Object.hasOwn(pool.provider_config, secret)
    ),
  };
}

/** Reports the secret options that the output of a pool lacks. */
export function reportMissingSecrets(
  { missingSecrets }: GivenConfig,
): readonly CheckResult[] {
  if (missingSecrets.length === 0) return [];
  return [{
    name: "secrets",
    status: "warn",
    detail:
      `The output of the pool lacks its secrets, which are checked as absent: ${
        missingSecrets.join(", ")
      }, expected their values in its provider_config`,
  }];
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new UsageError(
      'Cannot use --provider-config: it is not JSON, expected an object such as {"image":"\u2026"}, or @FILE',
      { cause },
    );
  }
}
