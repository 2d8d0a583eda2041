import type { ContainerCreateOptions, HostConfig } from "dockerode";
import {
  type BrowserSpec,
  displaySize,
  parseMemory,
  type Screen,
} from "../../../core/browser_spec.ts";
import { renderBrowserArguments } from "./browser_arguments.ts";
import type { DockerConfig } from "../config.ts";
import { createEgressVariables, limitsEgress } from "../network/egress.ts";
import seccompProfile from "../image/seccomp.json" with { type: "json" };
import { createForwarderVariables } from "../network/proxy.ts";
import { needsCredentials } from "../network/unsupported_proxy.ts";

/** Port of a container on which its browser answers CDP. */
export const CDP_PORT = "9222/tcp";

/** What {@linkcode createContainerOptions} needs to know besides the session's browser. */
export interface ContainerPlan {
  readonly image: string;
  /** Whether the image is the project's, whose entrypoint decides about sandbox, screen and proxy. */
  readonly isProjectImage: boolean;
  readonly network: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Addresses of the grid, which a session with limited egress cannot reach. */
  readonly gridAddresses: readonly string[];
  /** Whether the engine has an init process that reaps zombies. */
  readonly init: boolean;
  /** Whether the engine can keep a container from swapping. */
  readonly limitsSwap: boolean;
  readonly filtersSyscalls: boolean;
  /** Address on which CDP is published; undefined to reach the container by its own address. */
  readonly publishOn: string | undefined;
}

/**
 * How a session's container is made. Pure.
 *
 * Secrets are in `Env` only: labels and arguments are shown by `docker ps` and `ps`.
 */
export function createContainerOptions(
  spec: BrowserSpec,
  config: DockerConfig,
  plan: ContainerPlan,
): ContainerCreateOptions {
  return {
    Image: plan.image,
    Cmd: renderBrowserArguments(spec, config, plan.isProjectImage),
    Env: Object.entries(createEnvironment(spec, config, plan)).map((
      [name, value],
    ) => `${name}=${value}`),
    Labels: { ...plan.labels },
    // Root limits the network before the browser's user starts anything.
    ...(limitsEgress(spec) && { User: "root" }),
    ExposedPorts: { [CDP_PORT]: {} },
    HostConfig: {
      ...createResourceLimits(spec, config, plan),
      ...createConfinement(config, plan),
      ...(limitsEgress(spec) && { CapAdd: [...EGRESS_CAPABILITIES] }),
      NetworkMode: plan.network,
      Init: plan.init,
      PortBindings: plan.publishOn === undefined
        ? {}
        : { [CDP_PORT]: [{ HostIp: plan.publishOn, HostPort: "" }] },
      // Chromium's complaints must not fill the engine's disk.
      LogConfig: {
        Type: "json-file",
        Config: { "max-size": "1m", "max-file": "1" },
      },
    },
  };
}

/** Names of the variables in `Env` that {@linkcode createContainerOptions} sets and that are no secrets. */
export const PLAIN_VARIABLES: ReadonlySet<string> = new Set([
  "BROWSERGRID_SANDBOX",
  "BROWSERGRID_DISPLAY",
  "BROWSERGRID_DPI",
  "BROWSERGRID_PROXY_ADDRESS",
  "BROWSERGRID_EGRESS",
  "BROWSERGRID_EGRESS_POOL",
  "BROWSERGRID_EGRESS_DENY",
  "BROWSERGRID_EGRESS_ALLOW",
  "BROWSERGRID_EGRESS_UPSTREAM",
]);

/**
 * Capabilities that the entrypoint needs to limit the network and then switch to the browser's user. It drops all of
 * them.
 */
export const EGRESS_CAPABILITIES = [
  "NET_ADMIN",
  // The engine's init needs it to signal a process of another user.
  "KILL",
  "SETUID",
  "SETGID",
  "SETPCAP",
] as const;

function createEnvironment(
  spec: BrowserSpec,
  { sandbox }: DockerConfig,
  { isProjectImage, gridAddresses }: ContainerPlan,
): Record<string, string> {
  const { environment, headless, screen, proxy } = spec;
  if (!isProjectImage) return { ...environment };
  return {
    ...environment,
    BROWSERGRID_SANDBOX: sandbox,
    ...(!headless && createDisplayVariables(screen)),
    ...(limitsEgress(spec)
      ? createEgressVariables(spec, gridAddresses)
      : needsCredentials(proxy) && createForwarderVariables(proxy)),
  };
}

function createDisplayVariables(screen: Screen): Record<string, string> {
  const { width, height } = displaySize(screen);
  return {
    BROWSERGRID_DISPLAY: `${width}x${height}x24`,
    BROWSERGRID_DPI: String(screen.dpi),
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
      // The same number for both means: no swap.
      ...(limitsSwap && { MemorySwap: memory }),
    }),
  };
}

/** What a container is kept from. */
export function createConfinement(
  { seccomp }: Pick<DockerConfig, "seccomp">,
  { filtersSyscalls }: Pick<ContainerPlan, "filtersSyscalls">,
): HostConfig {
  const filter = {
    browser: [`seccomp=${JSON.stringify(seccompProfile)}`],
    engine: [],
    unconfined: ["seccomp=unconfined"],
  }[seccomp];
  return {
    CapDrop: ["ALL"],
    SecurityOpt: ["no-new-privileges", ...(filtersSyscalls ? filter : [])],
  };
}
