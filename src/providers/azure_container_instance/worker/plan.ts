import type {
  MachineHostInfo,
  MachineSpec,
} from "../../../core/provider/machines.ts";
import { type AzureConfig, readGroupSize } from "../config.ts";
import {
  createGroupBody,
  type GroupBody,
  secureVariables,
} from "../group/body.ts";
import { resolveWorkerImage } from "../group/images.ts";
import { CREATED_TAG, MACHINE_TAG, poolTags } from "../group/tags.ts";

/** Entrypoint of the image of a worker, which Azure's command replaces. */
const ENTRYPOINT: readonly string[] = ["tini", "--", "browsergrid"];

/** Returns the container group of a worker. It has no address: its server reaches it through the tunnel that it opens. */
export function createMachineBody(
  machine: MachineSpec,
  config: AzureConfig,
  info: MachineHostInfo,
): GroupBody {
  return createGroupBody(config, {
    tags: {
      ...poolTags(info),
      [MACHINE_TAG]: machine.workerId,
      [CREATED_TAG]: String(Date.now()),
    },
    image: resolveWorkerImage(config),
    command: renderWorkerCommand(machine, info.poolId),
    size: readGroupSize(config),
    variables: [
      { name: "BROWSERGRID_API_URL", value: machine.serverUrl },
      ...secureVariables(
        machine.apiKey === undefined
          ? {}
          : { BROWSERGRID_API_KEY: machine.apiKey },
      ),
    ],
  });
}

/** Returns the command of a worker. It contains no secret. */
export function renderWorkerCommand(
  { workerId, capacity }: Pick<MachineSpec, "workerId" | "capacity">,
  poolId: string,
): readonly string[] {
  return [
    ...ENTRYPOINT,
    "worker",
    ...["--work-pool-id", poolId],
    ...["--worker-id", workerId],
    ...["--capacity", String(capacity)],
    ...["--reach", "tunnel"],
  ];
}
