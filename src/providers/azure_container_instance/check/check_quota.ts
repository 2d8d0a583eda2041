import { toMessage } from "../../../core/log.ts";
import type { CheckResult } from "../../../core/provider.ts";
import type { ArmClient } from "../arm/arm_client.ts";
import { GROUPS_VERSION } from "../arm/container_groups.ts";
import { usagesSchema } from "../arm/schemas.ts";
import { type AzureConfig, readGroupSize } from "../config.ts";

/** Names of the quotas that a container group counts for. */
const GROUPS = "ContainerGroups";
const CORES = "StandardCores";

/** Checks that the quota of the region has room for one more container group. */
export async function checkQuota(
  arm: ArmClient,
  config: AzureConfig,
  signal: AbortSignal,
): Promise<CheckResult> {
  const { subscription_id, location } = config;
  const result = (status: CheckResult["status"], detail: string) => ({
    name: "quota",
    status,
    detail,
  });
  try {
    const { value } = await arm.read(usagesSchema, {
      method: "GET",
      path:
        `/subscriptions/${subscription_id}/providers/Microsoft.ContainerInstance/locations/${location}/usages`,
      apiVersion: GROUPS_VERSION,
      signal,
      retryWithinMs: 0,
    });
    const rooms = value.filter(({ name }) =>
      name.value === GROUPS || name.value === CORES
    ).map(({ name, limit, currentValue }) => ({
      text: `${currentValue} of ${limit} ${name.value}`,
      room: limit - currentValue,
      needed: name.value === CORES ? readGroupSize(config).cpu : 1,
    }));
    if (rooms.length === 0) {
      return result("warn", `Azure states no quota for ${location}`);
    }
    const text = rooms.map((room) => room.text).join(", ");
    return rooms.every(({ room, needed }) => room >= needed)
      ? result("ok", `The quota of ${location} has room: ${text} in use`)
      : result(
        "fail",
        `The quota of ${location} is used up: ${text} in use, expected room for a container group: delete some, choose another location, or request more in the portal`,
      );
  } catch (error) {
    return result(
      "warn",
      `Cannot read the quota of ${location}: ${toMessage(error)}`,
    );
  }
}
