import type { ContainerCreateOptions, HostConfig } from "dockerode";
import {
  type BrowserSpec,
  displaySize,
  parseMemory,
  type Screen,
} from "../../../core/browser_spec.ts";
import { renderChromiumFlags } from "../../kit/chromium_flags.ts";
import type { DockerConfig } from "../config.ts";
import seccompProfile from "../image/seccomp.json" with { type: "json" };
import {
  createEgressVariables,
  EGRESS_PROXY,
  limitsEgress,
} from "../network/egress.ts";
import { createForwarderVariables } from "../network/proxy.ts";
import { needsCredentials } from "../network/unsupported_proxy.ts";

/** Port of a container on which its browser answers CDP. */
export const CDP_PORT = "9222/tcp";

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
  return {
    Image: plan.image,
    Cmd: renderBrowserArguments(spec, config, plan.isProjectImage),
    Env: Object.entries(createEnvironment(spec, config, plan)).map((
      [name, value],
    ) => `${name}=${value}`),
    Labels: { ...plan.labels },
    // As root, the entrypoint limits the network before it switches to the browser's user.
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
      // Chromium's messages must not fill the engine's disk.
      LogConfig: {
        Type: "json-file",
        Config: { "max-size": "1m", "max-file": "1" },
      },
    },
  };
}

/**
 * Returns the arguments of the browser, which are the container's command and contain no secret.
 *
 * The project's entrypoint adds the ones that depend on the container: port, profile, sandbox and forwarder.
 */
function renderBrowserArguments(
  spec: BrowserSpec,
  config: DockerConfig,
  isProjectImage: boolean,
): string[] {
  const noSandbox = !isProjectImage && config.sandbox !== "on";
  const isLimited = limitsEgress(spec);
  return [
    ...renderChromiumFlags(spec, {
      ...(isLimited
        ? { proxyServer: EGRESS_PROXY }
        : needsCredentials(spec.proxy) && { proxyServer: null }),
      more: [
        // Without this, requests for the container's loopback would bypass the proxy.
        ...(isLimited ? ["--proxy-bypass-list=<-loopback>"] : []),
        ...(noSandbox ? ["--no-sandbox"] : []),
        ...config.arguments,
      ],
    }),
    // Some clients wait for a page.
    "about:blank",
  ];
}

/** Names of the variables of {@linkcode createContainerOptions} that contain no secret. */
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
      // Equal values mean that the container has no swap.
      ...(limitsSwap && { MemorySwap: memory }),
    }),
  };
}

/** Returns the restrictions of a container: capabilities and system calls. */
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
