import { z } from "zod";
import type { DockerConfig } from "../config.ts";
import { provideSeccompProfile } from "../container/seccomp.ts";
import { ensureNetwork } from "../network/network.ts";
import { findReachProblem } from "../network/reach.ts";
import { callEngine } from "./call_engine.ts";
import { type Engine, findPublishedAddress } from "./engine.ts";
import { readEngineResponse } from "./stream_response.ts";

/** The properties of an engine that affect its containers. */
export interface EngineInfo {
  readonly version: string;
  /** True if the engine has the init process that reaps zombies. Debian has it in a separate package. */
  readonly hasInit: boolean;
  readonly limitsCpu: boolean;
  readonly limitsMemory: boolean;
  readonly limitsSwap: boolean;
  readonly limitsPids: boolean;
  readonly filtersSyscalls: boolean;
  /** True if the addresses of containers are reachable from this machine. */
  readonly sharesNetwork: boolean;
  /** True for Podman, which responds to the requests of Docker's API. */
  readonly isPodman: boolean;
}

const infoSchema = z.object({
  ServerVersion: z.string(),
  OperatingSystem: z.string().default(""),
  Name: z.string().default(""),
  InitCommit: z.object({ ID: z.string() }).nullish(),
  /** Only Podman has it. */
  BuildahVersion: z.string().nullish(),
  SecurityOptions: z.array(z.string()).nullish(),
  CpuCfsQuota: z.boolean().nullish(),
  CPUCfsQuota: z.boolean().nullish(),
  MemoryLimit: z.boolean().nullish(),
  SwapLimit: z.boolean().nullish(),
  PidsLimit: z.boolean().nullish(),
});

/** Requests the properties of the engine. */
export async function inspectEngine(
  engine: Engine,
  signal?: AbortSignal,
): Promise<EngineInfo> {
  const text = await callEngine(
    (abortSignal) =>
      readEngineResponse(engine.docker.modem, { path: "/info", abortSignal }),
    { signal },
  );
  const info = infoSchema.parse(JSON.parse(text));
  const security = info.SecurityOptions ?? [];
  const isRemote = engine.host !== undefined;
  const isVirtual = /Docker Desktop|OrbStack|Colima/i.test(
    `${info.OperatingSystem} ${info.Name}`,
  );
  const isRootless = security.some((entry) => entry.includes("name=rootless"));
  return {
    version: info.ServerVersion,
    hasInit: info.InitCommit?.ID !== "N/A",
    limitsCpu: info.CpuCfsQuota ?? info.CPUCfsQuota ?? false,
    limitsMemory: info.MemoryLimit ?? false,
    limitsSwap: info.SwapLimit ?? false,
    limitsPids: info.PidsLimit ?? false,
    filtersSyscalls: security.some((entry) => entry.includes("name=seccomp")),
    sharesNetwork: Deno.build.os === "linux" && !isRemote && !isVirtual &&
      !isRootless,
    isPodman: info.BuildahVersion !== undefined && info.BuildahVersion !== null,
  };
}

/** The options that all containers of a host share, because they depend on the engine. */
export interface EngineEnvironment {
  readonly network: string;
  readonly init: boolean;
  readonly limitsSwap: boolean;
  readonly filtersSyscalls: boolean;
  readonly seccompProfile: string;
  readonly publishOn: string | undefined;
  /** Why the addresses of containers cannot be reached; undefined if they can, or are not used. */
  readonly reachProblem: string | undefined;
}

/** Inspects the engine, and creates the network if it is missing. */
export async function inspectEnvironment(
  engine: Engine,
  config: DockerConfig,
  { dataDir, signal }: {
    readonly dataDir: string;
    readonly signal: AbortSignal;
  },
): Promise<EngineEnvironment> {
  const [info, network] = await Promise.all([
    inspectEngine(engine, signal),
    ensureNetwork(engine, config.network, signal),
  ]);
  return {
    network,
    init: info.hasInit,
    limitsSwap: info.limitsSwap,
    filtersSyscalls: info.filtersSyscalls,
    seccompProfile: await provideSeccompProfile(info, dataDir),
    publishOn: usesPorts(config, info)
      ? await findPublishedAddress(engine)
      : undefined,
    reachProblem: expectsAddress(config, info)
      ? await findReachProblem(engine, network, signal)
      : undefined,
  };
}

/**
 * Reports whether containers are reached at their addresses because of what is known of the engine, and the machine then
 * has an address in their network. With Podman it has one only while a container runs.
 */
export function expectsAddress(
  { reach }: Pick<DockerConfig, "reach">,
  { sharesNetwork, isPodman }: Pick<EngineInfo, "sharesNetwork" | "isPodman">,
): boolean {
  return reach === "auto" && sharesNetwork && !isPodman;
}

function usesPorts({ reach }: DockerConfig, info: EngineInfo): boolean {
  return reach === "auto" ? !info.sharesNetwork : reach === "port";
}
