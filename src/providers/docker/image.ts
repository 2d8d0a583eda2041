/**
 * The image of the browser: its name, getting it, building the project's own.
 *
 * @module
 */
import { Readable } from "node:stream";
import type { Browser } from "../../core/browser_spec.ts";
import { DEFAULT_IMAGE, type DockerConfig } from "./config.ts";
import {
  ask,
  type Engine,
  engineStatus,
  engineWords,
  openEngine,
} from "./engine.ts";
import dockerfile from "./image/Dockerfile" with { type: "text" };
import entrypoint from "./image/entrypoint.sh" with { type: "text" };
import haproxyConfig from "./image/haproxy.cfg" with { type: "text" };
import { IMAGE_LABEL } from "./labels.ts";

/** Longest time that a pull or a build may take. */
const TRANSFER_TIMEOUT_MS = 30 * 60_000;

/** An image that the engine has. */
export interface LocalImage {
  readonly id: string;
  /** Whether it was made by {@linkcode buildImage}. */
  readonly isOwn: boolean;
}

/** How a slow step tells where it is and is ended. */
export interface Progress {
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** What most sessions ask for. */
const USUAL = { browser: "chromium", version: "latest" } as const;

/** Name of the image for a browser: `{browser}` and `{version}` in the pool's setting are replaced. */
export function imageName(
  template: string,
  spec: { readonly browser: Browser; readonly version: string } = USUAL,
): string {
  return template
    .replaceAll("{browser}", spec.browser)
    .replaceAll("{version}", spec.version);
}

/** The engine's image of that name, or undefined. */
export async function findImage(
  engine: Engine,
  name: string,
  signal?: AbortSignal,
): Promise<LocalImage | undefined> {
  try {
    const info = await ask(
      () => engine.docker.getImage(name).inspect(),
      { signal },
    );
    return {
      id: info.Id,
      isOwn: info.Config.Labels?.[IMAGE_LABEL] !== undefined,
    };
  } catch (error) {
    if (engineStatus(error) === 404) return undefined;
    throw error;
  }
}

/**
 * The image, pulled first if the policy says so.
 *
 * @throws {Error} `Cannot pull image …` with the engine's own words and what to do.
 */
export async function ensureImage(
  engine: Engine,
  name: string,
  policy: DockerConfig["pull"],
  progress: Progress,
): Promise<LocalImage> {
  const found = await findImage(engine, name, progress.signal);
  if (found && policy !== "always") return found;
  if (policy === "never") {
    throw new Error(
      `Cannot use image "${name}": the engine does not have it and pull is "never"`,
    );
  }
  try {
    await pullImage(engine, name, progress);
  } catch (error) {
    if (progress.signal.aborted) throw error;
    throw new Error(
      `Cannot pull image "${name}": ${engineWords(error)}${adviceFor(name)}`,
      { cause: error },
    );
  }
  const pulled = await findImage(engine, name, progress.signal);
  if (!pulled) throw new Error(`Cannot find image "${name}" after its pull`);
  return pulled;
}

function adviceFor(name: string): string {
  return name === DEFAULT_IMAGE
    ? `; make it with "browsergrid docker build-image"`
    : "";
}

async function pullImage(
  engine: Engine,
  name: string,
  { onProgress, signal }: Progress,
): Promise<void> {
  // Without a tag the engine would pull every tag there is.
  const reference = /[:@][^/]*$/.test(name) ? name : `${name}:latest`;
  const layers = new Map<string, number>();
  let last = "";
  await ask(async (abortSignal) => {
    const answer = await engine.docker.pull(reference, { abortSignal });
    await follow(engine, answer, (event) => {
      const line = pullLine(name, layers, event);
      if (line !== last) onProgress(last = line);
    });
  }, { signal, timeoutMs: TRANSFER_TIMEOUT_MS });
}

/** One line of the engine's stream about a pull or a build. */
interface EngineEvent {
  readonly stream?: string;
  readonly error?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; total?: number };
}

function pullLine(
  name: string,
  layers: Map<string, number>,
  { id, progressDetail }: EngineEvent,
): string {
  const { current, total } = progressDetail ?? {};
  if (id && current && total) layers.set(id, current / total);
  const done = [...layers.values()].reduce((sum, part) => sum + part, 0);
  const percent = layers.size === 0
    ? 0
    : Math.floor(100 * done / layers.size / 10) * 10;
  return `Pulling image ${name}: ${percent} %`;
}

/** Reads the engine's stream to its end; an error in it is thrown. */
function follow(
  engine: Engine,
  stream: NodeJS.ReadableStream,
  onEvent: (event: EngineEvent) => void,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  engine.docker.modem.followProgress(
    stream,
    (error: Error | null) => error ? reject(error) : resolve(),
    (event: EngineEvent) =>
      event.error ? reject(new Error(event.error)) : onEvent(event),
  );
  return promise;
}

/** What {@linkcode buildImage} needs. */
export interface BuildOptions extends Progress {
  /** @default {"browsergrid/chromium:latest"} */
  readonly tag?: string | undefined;
  readonly docker_host?: string | undefined;
  /** Network of the build's steps, e.g. `host` where the engine's bridge has no way out. */
  readonly network?: string | undefined;
}

/** Builds the project's image with the engine and returns its name. Packages come from Debian's archive. */
export async function buildImage(options: BuildOptions): Promise<string> {
  const { tag = DEFAULT_IMAGE, docker_host, network, onProgress, signal } =
    options;
  const engine = await openEngine({ docker_host });
  const context = await packContext();
  try {
    await ask(async (abortSignal) => {
      const answer = await engine.docker.buildImage(context, {
        t: tag,
        ...(network !== undefined && { networkmode: network }),
        abortSignal,
      });
      await follow(engine, answer, ({ stream }) => {
        const line = stream?.trim();
        if (line) onProgress(line);
      });
    }, { signal, timeoutMs: TRANSFER_TIMEOUT_MS });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Error(`Cannot build image "${tag}": ${engineWords(error)}`, {
      cause: error,
    });
  }
  return tag;
}

/** The folder `image/` as a tar stream. The files are part of the program, so that a compiled one has them. */
async function packContext(): Promise<NodeJS.ReadableStream> {
  const { default: tar } = await import("tar-stream");
  const pack = tar.pack();
  pack.entry({ name: "Dockerfile" }, dockerfile);
  pack.entry({ name: "entrypoint.sh" }, entrypoint);
  pack.entry({ name: "haproxy.cfg" }, haproxyConfig);
  pack.finalize();
  return Readable.from(pack);
}
