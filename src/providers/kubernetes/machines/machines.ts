import {
  type Machine,
  type MachineHost,
  type MachineHostInfo,
  type MachineSpec,
  MachineStartError,
} from "../../../core/provider/machines.ts";
import {
  ApiError,
  apiStatus,
  rethrowAs,
  toReason,
  UncertainError,
} from "../api/api_error.ts";
import { KubernetesClient } from "../api/client.ts";
import { findCluster } from "../api/find_cluster.ts";
import type { Pod } from "../api/objects.ts";
import type { KubernetesConfig } from "../config.ts";
import {
  createMachineLabels,
  readWorkerId,
  selectMachines,
} from "../pod/labels.ts";
import { readLogs } from "../pod/logs.ts";
import { toMachineName } from "../pod/names.ts";
import {
  isOver,
  readExit,
  readProgress,
  readPullFailure,
} from "../pod/state.ts";
import { createOwnedSecret } from "../pod/template.ts";
import { API_KEY, createMachinePod } from "./template.ts";

/** Time between SIGTERM and SIGKILL of a worker that is removed: the server has drained it before. */
const REMOVE_GRACE_SECONDS = 30;

/** Pause after a rejection by the quota of the namespace, which ends only with another pod. */
const QUOTA_RETRY_MS = 30_000;

/** The pods of a pool's workers. */
export class KubernetesMachines implements MachineHost {
  readonly #config: KubernetesConfig;
  readonly #info: MachineHostInfo;
  readonly #closed = new AbortController();
  #client: Promise<KubernetesClient> | undefined;

  constructor(config: KubernetesConfig, info: MachineHostInfo) {
    this.#config = config;
    this.#info = info;
  }

  async start(machine: MachineSpec, signal: AbortSignal): Promise<void> {
    const limits = this.#limits(signal);
    try {
      const client = await this.#connect();
      await this.#start(client, machine, limits);
    } catch (error) {
      signal.throwIfAborted();
      const message = `Cannot start a pod for worker "${machine.workerId}": ${
        toReason(error)
      }`;
      const pauseMs = findPauseMs(
        error instanceof UncertainError ? error.cause : error,
      );
      throw pauseMs === undefined
        ? new Error(message, { cause: error })
        : new MachineStartError(message, pauseMs);
    }
  }

  async #start(
    client: KubernetesClient,
    machine: MachineSpec,
    limits: { readonly signal: AbortSignal },
  ): Promise<void> {
    const { workerId, apiKey } = machine;
    const labels = createMachineLabels(this.#info, workerId);
    const pod = await client.createPod(
      createMachinePod(machine, this.#config, {
        name: toMachineName(workerId),
        poolId: this.#info.poolId,
        labels,
      }),
      limits,
    );
    if (apiKey === undefined) return;
    // After the pod, which owns it, and again with each repetition: the pod waits for it.
    const values = { [API_KEY]: apiKey };
    await client.createSecret(createOwnedSecret(pod, labels, values), limits);
  }

  async list(signal: AbortSignal): Promise<readonly Machine[]> {
    const client = await this.#connect();
    try {
      const { pods } = await client.listPods(
        selectMachines(this.#info),
        this.#limits(signal),
      );
      return pods.map(toMachine);
    } catch (error) {
      signal.throwIfAborted();
      return rethrowAs("Cannot list the pods of workers")(error);
    }
  }

  async remove(workerId: string, signal: AbortSignal): Promise<void> {
    const client = await this.#connect();
    try {
      await client.deletePod(
        toMachineName(workerId),
        REMOVE_GRACE_SECONDS,
        this.#limits(signal),
      );
    } catch (error) {
      signal.throwIfAborted();
      if (apiStatus(error) === 404) return;
      rethrowAs(`Cannot remove the pod of worker "${workerId}"`)(error);
    }
  }

  async logs(
    workerId: string,
    lines: number,
    signal: AbortSignal,
  ): Promise<string> {
    const client = await this.#connect();
    return await readLogs(
      client,
      toMachineName(workerId),
      lines,
      this.#limits(signal),
    );
  }

  /** Leaves the pods running. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new Error("The kubernetes machines were closed"));
    return Promise.resolve();
  }

  #limits(signal: AbortSignal): { readonly signal: AbortSignal } {
    return { signal: AbortSignal.any([signal, this.#closed.signal]) };
  }

  /** Finds the cluster once. A failure is not cached. */
  #connect(): Promise<KubernetesClient> {
    this.#client ??= findCluster(this.#config).then(
      (cluster) => new KubernetesClient(cluster),
    ).catch((error) => {
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }
}

/** Returns the pause after a rejection that ends after a time; undefined for others. */
function findPauseMs(error: unknown): number | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const isQuota = error.status === 403 &&
    error.message.includes("exceeded quota");
  if (isQuota) return error.retryAfterMs ?? QUOTA_RETRY_MS;
  return error.status === 429
    ? error.retryAfterMs ?? QUOTA_RETRY_MS
    : undefined;
}

function toMachine(pod: Pod): Machine {
  const workerId = readWorkerId(pod);
  const exit = readExit({ pod, last: pod, wasMissed: false });
  if (exit !== undefined || isOver(pod)) {
    return { workerId, status: "ended", detail: exit?.detail };
  }
  const { isRunning, failure, step } = readProgress(pod);
  if (isRunning) return { workerId, status: "running" };
  const pull = readPullFailure(pod);
  return {
    workerId,
    status: "starting",
    detail: failure ??
      (pull === undefined ? step : `image pull failed: ${pull}`),
  };
}
