import { systemClock } from "../../../async/clock.ts";
import { deadline } from "../../../async/deadline.ts";
import { toMessage } from "../../../core/log.ts";
import type { CheckResult } from "../../../core/provider.ts";
import type { ArmClient } from "../arm/arm_client.ts";
import { ArmError } from "../arm/arm_error.ts";
import { resourceGroupSchema, resourceProviderSchema } from "../arm/schemas.ts";
import { type AzureConfig, readGroupSize } from "../config.ts";
import { reportUnchecked } from "../../kit/report_unchecked.ts";
import { checkImage } from "./check_image.ts";
import { checkQuota } from "./check_quota.ts";
import { checkRole } from "./check_role.ts";
import { createRegistrationCall, createResourceGroupCall } from "./ping.ts";

/** Time limit of all requests of a check, shorter than the one of `browsergrid check`. */
const CHECK_MS = 12_000;

/** Memory of a worker for each session, with less of which a check warns. */
const MIN_SESSION_GB = 1;

/** Checks identity, rights, resource group, registration, quota and images. Creates nothing. */
export async function checkAzure(
  arm: ArmClient,
  config: AzureConfig,
): Promise<readonly CheckResult[]> {
  using timeout = deadline(systemClock, CHECK_MS);
  const { signal } = timeout;
  const local = [checkImage(config), checkUnit(config), checkSandbox(config)];
  const group = await checkResourceGroup(arm, config, signal);
  if (!group.isSignedIn) {
    return [
      group.result,
      reportUnchecked(
        "resource group, role, registration and quota, which need a sign-in",
      ),
      ...local,
    ];
  }
  const results = await Promise.all([
    group.exists
      ? checkRole(arm, config, signal)
      : reportUnchecked("role, which needs the resource group"),
    checkRegistration(arm, config, signal),
    checkQuota(arm, config, signal),
  ]);
  return [
    {
      name: "identity",
      status: "ok",
      detail: `Azure at ${arm.origin} accepts the identity`,
    },
    group.result,
    ...results,
    ...local,
  ];
}

/** Reads the resource group, which shows at the same time whether the sign-in succeeds. */
async function checkResourceGroup(
  arm: ArmClient,
  config: AzureConfig,
  signal: AbortSignal,
): Promise<{
  readonly result: CheckResult;
  readonly isSignedIn: boolean;
  readonly exists: boolean;
}> {
  const { resource_group, subscription_id } = config;
  const toResult = (status: CheckResult["status"], detail: string) => ({
    isSignedIn: true,
    exists: status !== "fail",
    result: { name: "resource group", status, detail },
  });
  try {
    const call = createResourceGroupCall(config, signal);
    const { location } = await arm.read(resourceGroupSchema, call);
    return toResult(
      "ok",
      `Resource group ${resource_group} exists in ${location}`,
    );
  } catch (error) {
    const status = error instanceof ArmError ? error.status : undefined;
    if (status === 404) {
      return toResult(
        "fail",
        `Cannot find resource group "${resource_group}" in subscription "${subscription_id}": ${
          toMessage(error)
        }, expected an existing one: az group create --name ${resource_group} --location ${config.location}`,
      );
    }
    if (status === 403) {
      return toResult(
        "warn",
        `Cannot read resource group "${resource_group}": the identity has no right to, so that it is not checked`,
      );
    }
    return {
      isSignedIn: false,
      exists: false,
      result: {
        name: "identity",
        status: "fail",
        detail: status === 401
          ? `Cannot use Azure at "${arm.origin}": it rejects the token, expected an identity of the tenant of subscription "${subscription_id}"`
          : toMessage(error),
      },
    };
  }
}

async function checkRegistration(
  arm: ArmClient,
  config: AzureConfig,
  signal: AbortSignal,
): Promise<CheckResult> {
  const name = "registration";
  try {
    const call = createRegistrationCall(config, signal);
    const { registrationState } = await arm.read(resourceProviderSchema, call);
    return registrationState === "Registered"
      ? {
        name,
        status: "ok",
        detail: "Microsoft.ContainerInstance is registered in the subscription",
      }
      : {
        name,
        status: "fail",
        detail:
          `Microsoft.ContainerInstance is ${registrationState} in subscription "${config.subscription_id}", expected Registered: az provider register --namespace Microsoft.ContainerInstance`,
      };
  } catch (error) {
    return {
      name,
      status: "warn",
      detail: `Cannot read the registration of Microsoft.ContainerInstance: ${
        toMessage(error)
      }`,
    };
  }
}

function checkUnit(config: AzureConfig): CheckResult {
  const { unit, capacity } = config;
  const name = "unit";
  const { memoryGb } = readGroupSize(config);
  const minGb = capacity * MIN_SESSION_GB;
  if (unit === "worker" && memoryGb < minGb) {
    return {
      name,
      status: "warn",
      detail:
        `Each container group is a worker with ${capacity} sessions in ${memoryGb} GB, where browsers run out of memory, expected memory_gb of at least ${minGb}, or unit session`,
    };
  }
  return unit === "worker"
    ? {
      name,
      status: "ok",
      detail:
        `Each container group is a worker with ${capacity} sessions, without an address of its own`,
    }
    : {
      name,
      status: "warn",
      detail:
        "Each session is a container group: Azure allows 300 creations an hour, which is 5 sessions a minute, and a start takes as long as the pull of the image",
    };
}

/** Azure offers no choice of the system call filter, so that the sandbox depends on its hosts. */
function checkSandbox({ unit, sandbox }: AzureConfig): CheckResult {
  const isOff = sandbox === "off" || unit === "worker" && sandbox === "auto";
  return {
    name: "sandbox",
    status: "warn",
    detail: isOff
      ? "Chromium's sandbox is off: the container group isolates its sessions from others, and nothing isolates the sessions of one worker"
      : sandbox === "on"
      ? "Chromium's sandbox is on by the pool's setting: browsers do not start where Azure does not allow user namespaces"
      : "Chromium's sandbox may be off: Azure has no setting for the user namespaces that it needs, and each browser decides at its start",
  };
}
