import type { Core } from "../../core/app.ts";
import type { OperatingSystem } from "../../core/browser_spec.ts";
import type { Role } from "../../core/caller.ts";
import { GridError } from "../../core/errors.ts";
import { isLoopback } from "../../core/network.ts";
import type { Provider } from "../../core/provider.ts";
import type { Machines } from "../../core/provider/machines.ts";
import {
  acceptAnySecrets,
  listSecretOptions,
} from "../../core/provider/secret_options.ts";
import { UnknownNameError } from "../../core/registry.ts";
import { describeFaults } from "../../http/validation_issues.ts";
import type { PoolCandidate, StartablePool } from "./candidate.ts";
import { resolveEgressPolicy } from "./defaults.ts";
import {
  type CheckedPoolInput,
  type Pool,
  type PoolLoadCounts,
  toFullConfig,
} from "./pool.ts";
import { poolProblems } from "./problems.ts";
import type { PoolInput } from "./schemas.ts";
import type { PoolLoad } from "./store/load.ts";

/** Operating systems by the names of the runtime, which workers report. */
const SYSTEMS: Readonly<Record<string, OperatingSystem>> = {
  linux: "linux",
  darwin: "macos",
  windows: "windows",
};

/** Default of the option `--capacity` of a worker. */
const DEFAULT_CAPACITY = 5;

/** The provider of a pool and its configuration. */
export type ConfiguredPool = Pick<
  Pool,
  "providerType" | "providerConfig" | "providerSecrets"
>;

/** A provider by name, and its configuration with secrets. */
export interface WorkerProvider {
  readonly provider_type: string;
  readonly provider_config: Record<string, unknown>;
}

/** Asks the installed providers about pools. No I/O. */
export class PoolProviders {
  readonly #providers: Core["providers"];
  readonly #publicUrl: Core["publicUrl"];

  constructor({ providers, publicUrl }: Pick<Core, "providers" | "publicUrl">) {
    this.#providers = providers;
    this.#publicUrl = publicUrl;
  }

  /**
   * Returns the input with a checked `provider_config`, with its defaults applied and its secrets moved out of it.
   *
   * @throws {GridError} `unknown_provider`, `invalid_provider_config`.
   */
  checkConfig(input: PoolInput): CheckedPoolInput {
    const { configSchema } = this.#get(input.provider_type);
    const parsed = configSchema.safeParse(input.provider_config);
    if (parsed.success) {
      return { ...input, ...splitConfig(parsed.data, configSchema) };
    }
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

  /** Returns how a provider runs workers on machines; undefined if it does not, or is not installed here. */
  findMachines(
    configured: ConfiguredPool,
  ): Machines | undefined {
    const found = this.#findConfigured(configured);
    return found?.provider.machines?.(found.config);
  }

  /** Returns why the machines of a pool cannot reach this server, as a sentence; undefined if they can. */
  findAddressProblem(configured: ConfiguredPool): string | undefined {
    const machines = this.findMachines(configured);
    const url = this.#publicUrl();
    if (!machines || machines.isOnServerHost) return undefined;
    if (!isLoopback(new URL(url).hostname)) return undefined;
    return `Cannot start machines: their workers would look for the server at ${url}, which only its own host reaches, expected the setting public_url with a URL that they reach`;
  }

  /** Reports whether the server starts the machines of a pool's workers. */
  hasMachines(pool: Pool): boolean {
    return this.findMachines(pool) !== undefined;
  }

  /**
   * Returns the number of sessions that one more worker of the pool would hold: the capacity of a machine, or else the
   * mean capacity of its online workers, or else the default of a worker.
   */
  resolveWorkerCapacity(
    { pool, workersOnline, capacity }: PoolLoadCounts,
  ): number {
    const mean = workersOnline > 0
      ? Math.round(capacity / workersOnline)
      : DEFAULT_CAPACITY;
    const ofWorker = this.findMachines(pool)?.capacity ?? mean;
    return Math.max(
      1,
      Math.min(ofWorker, pool.maxSessionsPerWorker ?? Infinity),
    );
  }

  /** Returns the provider with which the pool's workers start browsers. */
  toWorkerProvider(pool: Pool): WorkerProvider {
    const { provider, config } = this.findMachines(pool)?.browsers ??
      { provider: pool.providerType, config: toFullConfig(pool) };
    return { provider_type: provider, provider_config: config };
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

  /** Returns undefined if the provider is not installed here or rejects the configuration. Secrets may be encrypted. */
  #findConfigured(pool: ConfiguredPool) {
    const provider = [...this.#providers].find(({ name }) =>
      name === pool.providerType
    );
    if (!provider) return undefined;
    const secrets = Object.keys(pool.providerSecrets ?? {});
    const schema = acceptAnySecrets(provider.configSchema, secrets);
    const config = schema.safeParse(toFullConfig(pool));
    return config.success ? { provider, config: config.data } : undefined;
  }
}

/** Splits a configuration that matches `schema` into its public part and its secrets. */
function splitConfig(
  config: Readonly<Record<string, unknown>>,
  schema: Provider["configSchema"],
): Pick<CheckedPoolInput, "provider_config" | "provider_secrets"> {
  const names = listSecretOptions(schema);
  const entries = Object.entries(config);
  const secrets = entries.flatMap(([name, value]) =>
    names.includes(name) && typeof value === "string"
      ? [[name, value] as const]
      : []
  );
  return {
    provider_config: Object.fromEntries(
      entries.filter(([name]) => !names.includes(name)),
    ),
    provider_secrets: secrets.length > 0 ? Object.fromEntries(secrets) : null,
  };
}
