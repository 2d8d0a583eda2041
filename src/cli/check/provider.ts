import type { CheckResult, Provider } from "../../core/provider.ts";
import type { Settings } from "../../core/settings.ts";
import { toMessage } from "../../core/log.ts";
import { withinTime } from "./result.ts";

/** Longest wait for one provider's answer. */
const PROVIDER_MS = 15_000;

/** What a provider says it needs, with the configuration of a pool that gives none. */
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
      detail: `Not checked: a pool must give ${names.join(", ")}`,
    }];
  }
  const host = {
    gridId: "check",
    workerId: "check",
    dataDir: data_dir,
    localSandbox: local_sandbox,
  };
  try {
    return await withinTime(
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

/** Whether it can start browsers: it was asked, and nothing that it needs is missing. */
export function isUsable(results: readonly CheckResult[]): boolean {
  return results.every(({ name, status }) =>
    status !== "fail" && name !== "config"
  );
}
