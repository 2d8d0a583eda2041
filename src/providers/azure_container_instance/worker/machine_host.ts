import { systemClock } from "../../../async/clock.ts";
import { deadline } from "../../../async/deadline.ts";
import { createLogger, toMessage } from "../../../core/log.ts";
import {
  type Machine,
  type MachineHost,
  type MachineHostInfo,
  type MachineSpec,
  MachineStartError,
} from "../../../core/provider/machines.ts";
import { ArmError } from "../arm/arm_error.ts";
import {
  type ContainerGroups,
  type FoundGroup,
  openContainerGroups,
} from "../arm/container_groups.ts";
import type { ContainerGroup } from "../arm/schemas.ts";
import type { AzureConfig } from "../config.ts";
import { CONTAINER } from "../group/body.ts";
import { toMachineGroupName } from "../group/group_name.ts";
import { readGroupState } from "../group/state.ts";
import { MACHINE_TAG, poolTags } from "../group/tags.ts";
import { createMachineBody } from "./plan.ts";

const log = createLogger("providers", "azure_container_instance");

/** Time limit of a request with its repetitions. The server's loop repeats what fails. */
const REQUEST_MS = 60_000;

/** Time within which a removal is repeated after 409, 429 and 503. */
const RETRY_WITHIN_MS = 20_000;

/** Codes of rejections that end without a change of the request: limits and lack of machines. */
const TEMPORARY_CODES: ReadonlySet<string> = new Set([
  "ServiceUnavailable",
  "InsufficientCapacity",
  "RegistryErrorResponse",
]);

const TEMPORARY_STATUSES: ReadonlySet<number> = new Set([409, 429, 503]);

/** Opens a host. Sends no request to Azure. */
export function openMachineHost(
  config: AzureConfig,
  info: MachineHostInfo,
): MachineHost {
  return new AzureMachineHost(config, info, openContainerGroups(config));
}

/** A host that runs each worker in a container group. */
class AzureMachineHost implements MachineHost {
  readonly #config: AzureConfig;
  readonly #info: MachineHostInfo;
  readonly #groups: ContainerGroups;
  readonly #closed = new AbortController();

  constructor(
    config: AzureConfig,
    info: MachineHostInfo,
    groups: ContainerGroups,
  ) {
    this.#config = config;
    this.#info = info;
    this.#groups = groups;
  }

  /** Leaves an existing group of the worker unchanged, because Azure may restart the containers of one that it replaces. */
  async start(machine: MachineSpec, signal: AbortSignal): Promise<void> {
    const name = toMachineGroupName(machine.workerId);
    using limit = this.#limit(signal);
    try {
      if (await this.#groups.find(name, limit.signal)) return;
      const body = createMachineBody(machine, this.#config, this.#info);
      // The caller decides when the next start is due, for all machines of the pool.
      const options = { signal: limit.signal, retryWithinMs: 0 };
      await this.#groups.create(name, body, options);
    } catch (error) {
      signal.throwIfAborted();
      const message = `Cannot start container group "${name}": ${
        toMessage(error)
      }`;
      throw isTemporary(error)
        ? new MachineStartError(message, error.retryAfterMs)
        : new Error(message, { cause: error });
    }
  }

  /** Lists the machines. One whose group cannot be read counts as running, so that the others are known. */
  async list(signal: AbortSignal): Promise<readonly Machine[]> {
    using limit = this.#limit(signal);
    try {
      const listed = await this.#groups.list(
        poolTags(this.#info),
        limit.signal,
      );
      const workerIds = new Map(
        listed.flatMap((group) => {
          const workerId = readWorkerId(group);
          return workerId === undefined ? [] : [[group.name, workerId]];
        }),
      );
      const found = await this.#groups.findEach(
        [...workerIds.keys()],
        limit.signal,
      );
      signal.throwIfAborted();
      this.#closed.signal.throwIfAborted();
      return found.flatMap((read) =>
        toMachines(read, workerIds.get(read.name) ?? "")
      );
    } catch (cause) {
      signal.throwIfAborted();
      throw new Error(
        `Cannot list container groups: ${toMessage(cause)}`,
        { cause },
      );
    }
  }

  async remove(workerId: string, signal: AbortSignal): Promise<void> {
    const name = toMachineGroupName(workerId);
    using limit = this.#limit(signal, RETRY_WITHIN_MS);
    try {
      await this.#groups.delete(name, limit.signal);
    } catch (cause) {
      signal.throwIfAborted();
      throw new Error(
        `Cannot remove container group "${name}": ${toMessage(cause)}`,
        { cause },
      );
    }
  }

  async logs(
    workerId: string,
    lines: number,
    signal: AbortSignal,
  ): Promise<string> {
    using limit = this.#limit(signal);
    const name = toMachineGroupName(workerId);
    return await this.#groups.readLogs(
      { name, container: CONTAINER, lines },
      limit.signal,
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new Error("The host of Azure was closed"));
    return Promise.resolve();
  }

  #limit(signal: AbortSignal, ms = REQUEST_MS) {
    return deadline(systemClock, ms, signal, this.#closed.signal);
  }
}

/** Reports whether a later start may succeed: after a rate limit, with room in the quota, or when Azure has machines. */
function isTemporary(error: unknown): error is ArmError {
  if (!(error instanceof ArmError)) return false;
  if (error.isPermanent) return error.isQuota;
  return TEMPORARY_STATUSES.has(error.status) ||
    TEMPORARY_CODES.has(error.code);
}

function readWorkerId({ tags }: ContainerGroup): string | undefined {
  return tags?.[MACHINE_TAG];
}

function toMachines(
  { name, group, error }: FoundGroup,
  workerId: string,
): readonly Machine[] {
  if (error !== undefined) {
    log.debug("Cannot read {container_group}, which counts as running", {
      container_group: name,
      error: toMessage(error),
    });
    return [{ workerId, status: "running" }];
  }
  if (group === undefined) return [];
  const state = readGroupState(group);
  return [{
    workerId,
    status: state.phase,
    ...("detail" in state && { detail: state.detail }),
  }];
}
