import type { ContainerCreateOptions, HostConfig } from "dockerode";
import type { BrowserSpec } from "../../../core/browser_spec.ts";
import { parseMemory } from "../../../core/schema.ts";
import { IMAGE_CDP_PORT } from "../../kit/browser_image.ts";
import { limitsEgress } from "../../kit/image/egress.ts";
import {
  createImageVariables,
  EGRESS_CAPABILITIES,
  renderImageArguments,
} from "../../kit/image/image_options.ts";
import type { DockerConfig } from "../config.ts";

/** Port of a container on which its browser answers CDP, as the engine names it. */
export const ENGINE_PORT = `${IMAGE_CDP_PORT}/tcp`;

/** Options of {@linkcode createContainerOptions} in addition to the browser and the pool's configuration. */
export interface ContainerPlan {
  readonly image: string;
  /** True for the project's image, whose entrypoint configures sandbox, screen and proxy. */
  readonly isProjectImage: boolean;
  readonly network: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Addresses of the grid, which a session with limited egress cannot reach. */
  readonly gridAddresses: readonly string[];
  /** True if the engine has an init process that reaps zombies. */
  readonly init: boolean;
  /** True if the engine can limit the swap of containers. */
  readonly limitsSwap: boolean;
  readonly filtersSyscalls: boolean;
  /** The project's system call filter for this engine. */
  readonly seccompProfile: string;
  /** Address on which CDP is published; undefined if it is reached at the container's address. */
  readonly publishOn: string | undefined;
}

/**
 * Returns the options of a session's container.
 *
 * Secrets are in `Env` only, because `docker ps` and `ps` show labels and arguments.
 */
export function createContainerOptions(
  spec: BrowserSpec,
  config: DockerConfig,
  plan: ContainerPlan,
): ContainerCreateOptions {
  const options = { ...config, isProjectImage: plan.isProjectImage };
  const variables = createImageVariables(spec, options, plan.gridAddresses);
  return {
    Image: plan.image,
    Cmd: renderImageArguments(spec, options),
    Env: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    Labels: { ...plan.labels },
    // As root, the entrypoint limits the network before it switches to the browser's user.
    ...(limitsEgress(spec) && { User: "root" }),
    ExposedPorts: { [ENGINE_PORT]: {} },
    HostConfig: {
      ...createResourceLimits(spec, config, plan),
      ...createConfinement(config, plan),
      ...(limitsEgress(spec) && { CapAdd: [...EGRESS_CAPABILITIES] }),
      NetworkMode: plan.network,
      Init: plan.init,
      PortBindings: plan.publishOn === undefined
        ? {}
        : { [ENGINE_PORT]: [{ HostIp: plan.publishOn, HostPort: "" }] },
      // Chromium's messages must not fill the engine's disk.
      LogConfig: {
        Type: "json-file",
        Config: { "max-size": "1m", "max-file": "1" },
      },
    },
  };
}

function createResourceLimits(
  { cpu, memoryBytes }: BrowserSpec,
  { shm_size, pids_limit, default_memory }: DockerConfig,
  { limitsSwap }: ContainerPlan,
): HostConfig {
  const memory = memoryBytes ?? parseMemory(default_memory);
  return {
    PidsLimit: pids_limit,
    ShmSize: parseMemory(shm_size),
    ...(cpu !== undefined && { NanoCpus: Math.round(cpu * 1e9) }),
    ...(memory !== undefined && {
      Memory: memory,
      // Equal values mean that the container has no swap.
      ...(limitsSwap && { MemorySwap: memory }),
    }),
  };
}

/** Returns the restrictions of a container: capabilities and system calls. */
export function createConfinement(
  { seccomp }: Pick<DockerConfig, "seccomp">,
  { filtersSyscalls, seccompProfile }: Pick<
    ContainerPlan,
    "filtersSyscalls" | "seccompProfile"
  >,
): HostConfig {
  const filter = {
    browser: [`seccomp=${seccompProfile}`],
    engine: [],
    unconfined: ["seccomp=unconfined"],
  }[seccomp];
  return {
    CapDrop: ["ALL"],
    SecurityOpt: ["no-new-privileges", ...(filtersSyscalls ? filter : [])],
  };
}
