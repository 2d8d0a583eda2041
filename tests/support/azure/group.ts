import type Docker from "dockerode";
import { z } from "zod";
import { docker } from "../docker.ts";
import type { GroupRequest } from "./group_request.ts";

/** Label of the containers of a contract server, with its id. */
const SERVER_LABEL = "browsergrid.test_azure";

const STATES: Readonly<Record<string, string>> = {
  created: "Waiting",
  running: "Running",
  paused: "Running",
  exited: "Terminated",
  dead: "Terminated",
};

/** An event of a group, as its views contain it. */
export interface GroupEvent {
  readonly type: "Normal" | "Warning";
  readonly name: string;
  readonly message: string;
}

/** A container group of a contract server: its request, and a container of the Docker engine. */
export class TestGroup {
  readonly name: string;
  readonly request: GroupRequest;
  readonly createdAt: number = Date.now();
  readonly events: GroupEvent[] = [];
  provisioningState = "Pending";
  isStopped = false;
  /** True if Azure ended it because it exceeded its memory. */
  isOutOfMemory = false;
  container: Docker.Container | undefined;
  /** Resolves when the creation has succeeded or failed. */
  provisioned: Promise<void> = Promise.resolve();

  constructor(name: string, request: GroupRequest) {
    this.name = name;
    this.request = request;
  }

  /** Starts its container. */
  async run(serverId: string): Promise<void> {
    this.provisioningState = "Creating";
    const [{ properties }] = this.request.properties.containers as [
      GroupRequest["properties"]["containers"][number],
    ];
    const { image, command, environmentVariables = [], resources } = properties;
    try {
      this.container = await docker.createContainer({
        Image: image,
        // Azure's command replaces entrypoint and arguments of the image.
        ...(command && { Entrypoint: command, Cmd: [] }),
        Env: environmentVariables.map(({ name, value, secureValue }) =>
          `${name}=${secureValue ?? value}`
        ),
        Labels: { [SERVER_LABEL]: serverId },
        HostConfig: {
          // The engine rejects more than the machine has.
          NanoCpus: 1e9 *
            Math.min(resources.requests.cpu, navigator.hardwareConcurrency),
          Memory: Math.round(resources.requests.memoryInGB * 2 ** 30),
          MemorySwap: Math.round(resources.requests.memoryInGB * 2 ** 30),
        },
      });
      await this.container.start();
      this.provisioningState = "Succeeded";
    } catch (error) {
      this.events.push({
        type: "Warning",
        name: "Failed",
        message: `Failed to pull image "${image}": ${error}`,
      });
      this.provisioningState = "Failed";
    }
  }

  /** Removes its container. */
  async remove(): Promise<void> {
    await this.container?.remove({ force: true, v: true }).catch(() => {});
  }

  /** Returns the group as a GET request returns it; without views of the instance as a list does. */
  async render(
    id: string,
    { isListed }: { readonly isListed: boolean },
  ): Promise<object> {
    const { location, tags, identity, properties } = this.request;
    const info = isListed ? undefined : await this.#inspect();
    const state = info && {
      state: STATES[info.State.Status] ?? "Waiting",
      startTime: info.State.StartedAt,
      ...(info.State.Status === "exited" && {
        exitCode: info.State.ExitCode,
        finishTime: info.State.FinishedAt,
        detailStatus: this.isOutOfMemory || info.State.OOMKilled
          ? "OOMKilled"
          : info.State.ExitCode === 0
          ? "Completed"
          : "Error",
      }),
    };
    const ip = info?.NetworkSettings.Networks.bridge?.IPAddress;
    return {
      id,
      name: this.name,
      type: "Microsoft.ContainerInstance/containerGroups",
      location,
      tags,
      ...(identity && { identity }),
      properties: {
        ...properties,
        provisioningState: this.provisioningState,
        imageRegistryCredentials: properties.imageRegistryCredentials?.map(
          ({ password: _, ...shown }) => shown,
        ),
        ...(properties.ipAddress && {
          ipAddress: { ...properties.ipAddress, ...(ip && { ip }) },
        }),
        containers: properties.containers.map(({ name, properties }) => ({
          name,
          properties: {
            ...properties,
            environmentVariables: properties.environmentVariables?.map(
              ({ secureValue: _, ...shown }) => shown,
            ),
            ...(!isListed && {
              instanceView: {
                restartCount: 0,
                currentState: state ??
                  { state: "Waiting", detailStatus: "ContainerCreating" },
                events: [],
              },
            }),
          },
        })),
        ...(!isListed && {
          instanceView: {
            events: this.events,
            state: this.#renderState(state),
          },
        }),
      },
    };
  }

  #renderState(
    state: { readonly state: string; readonly exitCode?: number } | undefined,
  ): string {
    if (this.isStopped) return "Stopped";
    if (this.provisioningState === "Failed") return "Failed";
    if (state?.state === "Terminated") {
      return state.exitCode === 0 ? "Succeeded" : "Failed";
    }
    return state?.state === "Running" ? "Running" : "Pending";
  }

  async #inspect(): Promise<Docker.ContainerInspectInfo | undefined> {
    return await this.container?.inspect().catch(() => undefined);
  }

  /** Returns the last lines of the container's output. */
  async readLogs(tail: number | undefined): Promise<string> {
    if (!this.container) return "";
    const bytes = await this.container.logs({
      stdout: true,
      stderr: true,
      ...(tail !== undefined && { tail }),
    });
    return demultiplex(z.instanceof(Uint8Array).parse(bytes));
  }
}

/** Returns the text of the engine's log stream, whose frames have a header of 8 bytes. */
function demultiplex(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const decoder = new TextDecoder();
  let text = "";
  for (let at = 0; at + 8 <= bytes.length;) {
    const end = at + 8 + view.getUint32(at + 4);
    text += decoder.decode(bytes.subarray(at + 8, end), { stream: true });
    at = end;
  }
  return text;
}

/** Lists the containers of a contract server, in any state. */
export async function listServerContainers(
  serverId: string,
): Promise<string[]> {
  const found = await docker.listContainers({
    all: true,
    filters: { label: [`${SERVER_LABEL}=${serverId}`] },
  });
  return found.map(({ Id }) => Id);
}
