import type { CheckResult, Provider } from "../../core/provider.ts";
import type { Settings } from "../../core/settings.ts";
import { toMessage } from "../../core/log.ts";
import { waitAtMost } from "./result.ts";

/** Timeout of the check of one provider. */
const PROVIDER_MS = 15_000;

/** Runs the check of a provider, with the default configuration of a pool. */
export async function checkProvider(
  provider: Provider,
  { data_dir, local_sandbox }: Settings,
): Promise<readonly CheckResult[]> {
  const config = provider.configSchema.safeParse({});
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
  try {
    return await waitAtMost(
      PROVIDER_MS,
      provider.open(config.data, host).then(async (opened) => {
        await using host = opened;
        return await host.check();
      }),
    );
  } catch (error) {
    return [{ name: "open", status: "fail", detail: toMessage(error) }];
  }
}

/** Reports whether the provider was checked and can start browsers. */
export function isUsable(results: readonly CheckResult[]): boolean {
  return results.every(({ name, status }) =>
    status !== "fail" && name !== "config"
  );
}
