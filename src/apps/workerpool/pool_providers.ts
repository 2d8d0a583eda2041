import type { Core } from "../../core/app.ts";
import type { OperatingSystem } from "../../core/browser_spec.ts";
import type { Role } from "../../core/caller.ts";
import { GridError } from "../../core/errors.ts";
import type { Provider } from "../../core/provider.ts";
import { UnknownNameError } from "../../core/registry.ts";
import { describeFaults } from "../../http/validation_issues.ts";
import type { PoolCandidate, StartablePool } from "./candidate.ts";
import { resolveEgressPolicy } from "./defaults.ts";
import type { Pool } from "./pool.ts";
import { poolProblems } from "./problems.ts";
import type { PoolInput } from "./schemas.ts";
import type { PoolLoad } from "./store/load.ts";

/** Operating systems by the names of the runtime, which workers report. */
const SYSTEMS: Readonly<Record<string, OperatingSystem>> = {
  linux: "linux",
  darwin: "macos",
  windows: "windows",
};

/** Asks the installed providers about pools. No I/O. */
export class PoolProviders {
  readonly #providers: Core["providers"];

  constructor({ providers }: Pick<Core, "providers">) {
    this.#providers = providers;
  }

  /**
   * Returns the input with a checked `provider_config`, with its defaults applied.
   *
   * @throws {GridError} `unknown_provider`, `invalid_provider_config`.
   */
  checkConfig(input: PoolInput): PoolInput {
    const { configSchema } = this.#get(input.provider_type);
    const parsed = configSchema.safeParse(input.provider_config);
    if (parsed.success) return { ...input, provider_config: parsed.data };
    const { issues } = parsed.error;
    const { listed, detail } = describeFaults(issues, ["provider_config"]);
    throw new GridError(
      poolProblems.invalid_provider_config,
      `Cannot use the configuration of provider "${input.provider_type}": ${detail}`,
      { errors: listed },
    );
  }

  /** Returns the pool with the browsers that its provider can start: none if the provider is not installed here. */
  toStartable(pool: Pool): StartablePool {
    const found = this.#findConfigured(pool);
    const choices = found ? found.provider.browsers(found.config) : [];
    return { pool, choices };
  }

  /** Returns a loaded pool as a candidate for a session of a caller with `role`. */
  toCandidate(
    { hosts, pool, pending, room }: PoolLoad,
    role: Role | undefined,
  ): PoolCandidate {
    const systems = hosts.flatMap((host) => SYSTEMS[host] ?? []);
    return {
      ...this.toStartable(pool),
      pending,
      room,
      // A pool without workers may get one on Linux. Other systems are accepted only after such a worker registered.
      systems: systems.length > 0 ? systems : ["linux"],
      unsupported: (request) => {
        const found = this.#findConfigured(pool);
        const proxy = request.proxy ?? pool.defaultProxy ?? undefined;
        const { mode } = resolveEgressPolicy(pool, role === "client");
        return found?.provider.unsupported?.(
          { proxy, egress: mode },
          found.config,
        );
      },
    };
  }

  #get(name: string): Provider {
    try {
      return this.#providers.get(name);
    } catch (error) {
      if (!(error instanceof UnknownNameError)) throw error;
      throw new GridError(poolProblems.unknown_provider, error.message, {
        known: [...this.#providers].map((each) => each.name),
      });
    }
  }

  /** Returns undefined if the provider is not installed here or rejects the configuration. */
  #findConfigured({ providerType, providerConfig }: Pool) {
    const provider = [...this.#providers].find(({ name }) =>
      name === providerType
    );
    const config = provider?.configSchema.safeParse(providerConfig);
    return provider && config?.success
      ? { provider, config: config.data }
      : undefined;
  }
}
