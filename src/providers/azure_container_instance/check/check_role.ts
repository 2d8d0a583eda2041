import { toMessage } from "../../../core/log.ts";
import type { CheckResult } from "../../../core/provider.ts";
import type { ArmClient } from "../arm/arm_client.ts";
import { GROUPS_VERSION } from "../arm/container_groups.ts";
import { containerGroupPageSchema, permissionsSchema } from "../arm/schemas.ts";
import type { AzureConfig } from "../config.ts";

/** Version of the API of permissions. */
const PERMISSIONS_VERSION = "2022-04-01";

const NAMESPACE = "Microsoft.ContainerInstance/containerGroups";

/** Actions that starts and ends of container groups need. */
const ACTIONS = [
  `${NAMESPACE}/read`,
  `${NAMESPACE}/write`,
  `${NAMESPACE}/delete`,
  `${NAMESPACE}/containers/logs/read`,
];

/** Checks the rights of the identity in the resource group: it lists the groups, and reads its own permissions. */
export async function checkRole(
  arm: ArmClient,
  { subscription_id, resource_group }: AzureConfig,
  signal: AbortSignal,
): Promise<CheckResult> {
  const scope =
    `/subscriptions/${subscription_id}/resourceGroups/${resource_group}/providers`;
  const result = (status: CheckResult["status"], detail: string) => ({
    name: "role",
    status,
    detail,
  });
  try {
    await arm.read(containerGroupPageSchema, {
      method: "GET",
      path: `${scope}/${NAMESPACE}`,
      apiVersion: GROUPS_VERSION,
      signal,
    });
  } catch (error) {
    return result(
      "fail",
      `Cannot list the container groups of "${resource_group}": ${
        toMessage(error)
      }`,
    );
  }
  try {
    const { value } = await arm.read(permissionsSchema, {
      method: "GET",
      path: `${scope}/Microsoft.Authorization/permissions`,
      apiVersion: PERMISSIONS_VERSION,
      signal,
      retryWithinMs: 0,
    });
    const missing = ACTIONS.filter((action) =>
      !value.some(({ actions, notActions }) =>
        matchesAny(actions, action) && !matchesAny(notActions, action)
      )
    );
    return missing.length === 0
      ? result("ok", "The identity may create and delete container groups")
      : result(
        "fail",
        `Cannot start container groups in "${resource_group}": the identity lacks ${
          missing.join(", ")
        }, expected a role such as "Azure Container Instances Contributor Role"`,
      );
  } catch (error) {
    return result(
      "warn",
      `The identity may list the container groups; whether it may create them shows at the first start, because its permissions cannot be read: ${
        toMessage(error)
      }`,
    );
  }
}

/** Reports whether one of the patterns, in which `*` is any text, matches an action. Case does not matter. */
function matchesAny(patterns: readonly string[], action: string): boolean {
  return patterns.some((pattern) => {
    const text = pattern.split("*").map((part) =>
      part.replaceAll(/[.\\+?^${}()|[\]]/g, "\\$&")
    ).join(".*");
    return new RegExp(`^${text}$`, "i").test(action);
  });
}
