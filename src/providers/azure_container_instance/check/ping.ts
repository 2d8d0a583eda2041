import { systemClock } from "../../../async/clock.ts";
import { deadline } from "../../../async/deadline.ts";
import { toMessage } from "../../../core/log.ts";
import type { ArmCall, ArmClient } from "../arm/arm_client.ts";
import { ArmError } from "../arm/arm_error.ts";
import type { AzureConfig } from "../config.ts";

/** Timeout of a ping. */
const PING_MS = 3_000;

/** Version of the API of resource groups and providers. */
const RESOURCES_VERSION = "2021-04-01";

/** Returns the request for the resource group of a pool. */
export function createResourceGroupCall(
  { subscription_id, resource_group }: AzureConfig,
  signal: AbortSignal,
): ArmCall {
  return {
    method: "GET",
    path: `/subscriptions/${subscription_id}/resourceGroups/${resource_group}`,
    apiVersion: RESOURCES_VERSION,
    signal,
    retryWithinMs: 0,
  };
}

/** Returns the request for the registration of Azure Container Instances in the subscription. */
export function createRegistrationCall(
  { subscription_id }: AzureConfig,
  signal: AbortSignal,
): ArmCall {
  return {
    method: "GET",
    path:
      `/subscriptions/${subscription_id}/providers/Microsoft.ContainerInstance`,
    apiVersion: RESOURCES_VERSION,
    signal,
    retryWithinMs: 0,
  };
}

/**
 * Checks whether Azure responds within a few seconds. A rejection of the request counts as a response: the identity may
 * lack the right to read the resource group.
 *
 * @throws {Error} That says what does not answer; or the reason of the signal.
 */
export async function pingAzure(
  arm: ArmClient,
  config: AzureConfig,
  signal: AbortSignal,
): Promise<void> {
  using timeout = deadline(systemClock, PING_MS, signal);
  try {
    await arm.call(createResourceGroupCall(config, timeout.signal));
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (cause instanceof ArmError && cause.status < 500) return;
    const reason = timeout.signal.aborted
      ? `${arm.origin} does not answer: no response within ${PING_MS / 1_000} s`
      : toMessage(cause);
    throw new Error(`Cannot reach Azure: ${reason}`, { cause });
  }
}
