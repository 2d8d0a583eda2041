import type { DockerConfig } from "../config.ts";
import { ensureNetwork } from "../network/network.ts";
import { type Engine, findPublishedAddress } from "./engine.ts";
import { type EngineInfo, inspectEngine } from "./engine_info.ts";

/** The options that all containers of a host share, because they depend on the engine. */
export interface EngineEnvironment {
  readonly network: string;
  readonly init: boolean;
  readonly limitsSwap: boolean;
  readonly filtersSyscalls: boolean;
  readonly publishOn: string | undefined;
}

/** Inspects the engine, and creates the network if it is missing. */
export async function inspectEnvironment(
  engine: Engine,
  config: DockerConfig,
  signal: AbortSignal,
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
    publishOn: usesPorts(config, info)
      ? await findPublishedAddress(engine)
      : undefined,
  };
}

function usesPorts({ reach }: DockerConfig, info: EngineInfo): boolean {
  return reach === "auto" ? !info.sharesNetwork : reach === "port";
}
