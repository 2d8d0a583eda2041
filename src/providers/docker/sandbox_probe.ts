import type { DockerConfig } from "./config.ts";
import { confinement } from "./container_options.ts";
import { createContainer } from "./create_container.ts";
import { ask, type Engine, type EngineInfo } from "./engine.ts";
import type { Removals } from "./removals.ts";

/** How long the image may take to say whether Chromium's sandbox can start. */
const PROBE_TIMEOUT_MS = 20_000;

/** How long the end of the probe is waited for. */
const REMOVE_WAIT_MS = 10_000;

/** With what {@linkcode sandboxStarts} is tried. */
export interface SandboxProbe {
  /** One of the project's. */
  readonly image: string;
  readonly info: EngineInfo;
  readonly removals: Removals;
}

/** Whether Chromium's sandbox can start, tried in a container that lives for a moment. */
export async function sandboxStarts(
  engine: Engine,
  config: DockerConfig,
  { image, info, removals }: SandboxProbe,
): Promise<boolean> {
  const name = `browsergrid-check-${crypto.randomUUID().slice(0, 8)}`;
  const creating = ask((abortSignal) =>
    createContainer(engine, {
      name,
      Image: image,
      Cmd: ["probe-sandbox"],
      NetworkDisabled: true,
      HostConfig: confinement(config, info),
    }, abortSignal)
  );
  try {
    const container = await creating;
    return await ask(async (abortSignal) => {
      await container.start({ abortSignal });
      return (await container.wait({ abortSignal })).StatusCode === 0;
    }, { timeoutMs: PROBE_TIMEOUT_MS });
  } finally {
    await removals.removeUnborn({ name, creating, waitMs: REMOVE_WAIT_MS });
  }
}
