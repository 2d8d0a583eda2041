import { isLoopback } from "../../core/network.ts";
import type { CheckResult, Provider } from "../../core/provider.ts";
import type { Machines } from "../../core/provider/machines.ts";
import type { Settings } from "../../core/settings.ts";
import { toMessage } from "../../core/log.ts";
import { nameKnownMembers } from "../../http/openapi/unknown_members.ts";
import { describeFaults } from "../../http/validation_issues.ts";
import { readSecretFiles } from "../pool/provider_config.ts";
import { waitAtMost } from "./result.ts";

/** Timeout of the check of one provider. */
const PROVIDER_MS = 15_000;

/** Runs the check of a provider. @param given Configuration of a pool. @default The one of a new pool. */
export async function checkProvider(
  provider: Provider,
  { data_dir, local_sandbox, public_url }: Settings,
  given?: unknown,
): Promise<readonly CheckResult[]> {
  nameKnownMembers();
  const config = provider.configSchema.safeParse(
    isObject(given)
      ? readSecretFiles(provider.configSchema, given)
      : given ?? {},
  );
  if (!config.success && given !== undefined) {
    const { detail } = describeFaults(config.error.issues);
    return [{ name: "config", status: "fail", detail }];
  }
  if (!config.success) {
    const names = config.error.issues.map(({ path }) => path.join("."));
    return [{
      name: "config",
      status: "warn",
      detail: `Not checked: a pool must configure ${names.join(", ")}`,
    }];
  }
  const host = {
    gridId: "check",
    workerId: "check",
    dataDir: data_dir,
    localSandbox: local_sandbox,
  };
  const address = checkServerAddress(
    provider.machines?.(config.data),
    public_url,
  );
  try {
    const results = await waitAtMost(
      PROVIDER_MS,
      provider.open(config.data, host).then(async (opened) => {
        await using host = opened;
        return await host.check();
      }),
    );
    return [...results, ...address];
  } catch (error) {
    return [
      { name: "open", status: "fail", detail: toMessage(error) },
      ...address,
    ];
  }
}

/** Checks that workers on machines would look for the server at an address that they reach. */
function checkServerAddress(
  machines: Machines | undefined,
  url: string | undefined,
): readonly CheckResult[] {
  if (machines === undefined || machines.isOnServerHost) return [];
  const name = "public_url";
  if (url === undefined || isLoopback(new URL(url).hostname)) {
    const state = url === undefined
      ? "is not set, so that workers on machines look for the server where it listens"
      : `is "${url}", where workers on machines do not reach the server`;
    return [{
      name,
      status: "warn",
      detail:
        `The setting public_url ${state}, expected on the server's host a URL that they reach`,
    }];
  }
  return [{
    name,
    status: "ok",
    detail: `Workers on machines look for the server at ${url}`,
  }];
}

/** Reports whether the provider was checked and can start browsers. */
export function isUsable(results: readonly CheckResult[]): boolean {
  return results.every(({ name, status }) =>
    status !== "fail" && name !== "config"
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
