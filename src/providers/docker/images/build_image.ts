import { Readable } from "node:stream";
import windowManager from "../../kit/window_manager.pl" with { type: "text" };
import { DEFAULT_IMAGE } from "../config.ts";
import { callEngine } from "../engine/call_engine.ts";
import { openEngine } from "../engine/engine.ts";
import { engineMessage } from "../engine/engine_error.ts";
import { readEngineEvents } from "../engine/events.ts";
import dockerfile from "../image/Dockerfile" with { type: "text" };
import egressProxy from "../image/egress.pl" with { type: "text" };
import egressRules from "../image/egress.sh" with { type: "text" };
import entrypoint from "../image/entrypoint.sh" with { type: "text" };
import fontsConfig from "../image/fonts.conf" with { type: "text" };
import haproxyConfig from "../image/haproxy.cfg" with { type: "text" };
import policy from "../image/policy.json" with { type: "json" };
import type { Progress } from "./pull_image.ts";

/** Timeout of a build. */
const BUILD_TIMEOUT_MS = 30 * 60_000;

/** Options of {@linkcode buildImage}. */
export interface BuildOptions extends Progress {
  /** Name of the image. @default {"browsergrid/chromium:latest"} */
  readonly tag?: string | undefined;
  readonly docker_host?: string | undefined;
  /** Network of the build's steps, such as `host` if the engine's bridge has no internet access. */
  readonly network?: string | undefined;
}

/** Builds the project's image with the engine and returns its name. Its packages are downloaded from Debian's archive. */
export async function buildImage(options: BuildOptions): Promise<string> {
  const { tag = DEFAULT_IMAGE, docker_host, network, onProgress, signal } =
    options;
  const engine = await openEngine({ docker_host });
  const context = await packContext();
  try {
    await callEngine(async (abortSignal) => {
      const response = await engine.docker.buildImage(context, {
        t: tag,
        ...(network !== undefined && { networkmode: network }),
        abortSignal,
      });
      for await (const { stream } of readEngineEvents(response)) {
        const line = stream?.trim();
        if (line) onProgress(line);
      }
    }, { signal, timeoutMs: BUILD_TIMEOUT_MS });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Error(`Cannot build image "${tag}": ${engineMessage(error)}`, {
      cause: error,
    });
  }
  return tag;
}

/** Packs the folder `image/` as a tar stream. The files are modules, so that a compiled program contains them. */
async function packContext(): Promise<NodeJS.ReadableStream> {
  const { default: tar } = await import("tar-stream");
  const pack = tar.pack();
  pack.entry({ name: "Dockerfile" }, dockerfile);
  pack.entry({ name: "entrypoint.sh" }, entrypoint);
  pack.entry({ name: "fonts.conf" }, fontsConfig);
  pack.entry({ name: "haproxy.cfg" }, haproxyConfig);
  pack.entry({ name: "egress.sh" }, egressRules);
  pack.entry({ name: "egress.pl" }, egressProxy);
  pack.entry({ name: "policy.json" }, JSON.stringify(policy));
  pack.entry({ name: "window_manager.pl" }, windowManager);
  pack.finalize();
  return Readable.from(pack);
}
