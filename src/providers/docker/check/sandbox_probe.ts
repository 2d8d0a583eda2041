import type { ContainerCreateOptions } from "dockerode";
import { createEgressVariables } from "../../kit/image/egress.ts";
import { EGRESS_CAPABILITIES } from "../../kit/image/image_options.ts";
import type { DockerConfig } from "../config.ts";
import { createContainer } from "../container/create.ts";
import { createConfinement } from "../container/options.ts";
import type { ContainerReaper } from "../container/reaper.ts";
import { callEngine } from "../engine/call_engine.ts";
import type { Engine } from "../engine/engine.ts";
import type { EngineInfo } from "../engine/environment.ts";

/** Timeout of a probe. */
const PROBE_TIMEOUT_MS = 20_000;

/** Maximum wait for the removal of a probe's container. */
const REMOVE_WAIT_MS = 10_000;

/** Options of {@linkcode probeSandbox} and {@linkcode probeEgress}. */
export interface ContainerProbe {
  /** Name of an image of the project. */
  readonly image: string;
  readonly info: EngineInfo;
  readonly seccompProfile: string;
  readonly reaper: ContainerReaper;
}

/** Tests whether Chromium's sandbox can start, with a trial container. */
export function probeSandbox(
  engine: Engine,
  config: DockerConfig,
  probe: ContainerProbe,
): Promise<boolean> {
  return runProbe(engine, probe, {
    Cmd: ["probe-sandbox"],
    HostConfig: createConfinement(config, { ...probe.info, ...probe }),
  });
}

/** Tests whether the image can limit a container's egress on this engine's kernel, with a trial container. */
export function probeEgress(
  engine: Engine,
  config: DockerConfig,
  probe: ContainerProbe,
): Promise<boolean> {
  const policy = { mode: "none", allow: [], pool: "check" } as const;
  const variables = createEgressVariables({ egress: policy }, []);
  return runProbe(engine, probe, {
    Cmd: ["probe-egress"],
    User: "root",
    Env: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    HostConfig: {
      ...createConfinement(config, { ...probe.info, ...probe }),
      CapAdd: [...EGRESS_CAPABILITIES],
    },
  });
}

/** Reports whether a container of the image exits with 0. */
async function runProbe(
  engine: Engine,
  { image, reaper }: ContainerProbe,
  options: Omit<ContainerCreateOptions, "name">,
): Promise<boolean> {
  const name = `browsergrid-check-${crypto.randomUUID().slice(0, 8)}`;
  const creating = callEngine((abortSignal) =>
    createContainer(engine, {
      name,
      Image: image,
      NetworkDisabled: true,
      ...options,
    }, abortSignal)
  );
  try {
    const container = await creating;
    return await callEngine(async (abortSignal) => {
      await container.start({ abortSignal });
      return (await container.wait({ abortSignal })).StatusCode === 0;
    }, { timeoutMs: PROBE_TIMEOUT_MS });
  } finally {
    await reaper.removePending({ name, creating, waitMs: REMOVE_WAIT_MS });
  }
}
