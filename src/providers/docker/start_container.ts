import type Docker from "dockerode";
import type { ContainerCreateOptions, ContainerInspectInfo } from "dockerode";
import { waitForCdp } from "../cdp_ready.ts";
import { removeContainer } from "./container.ts";
import { CDP_PORT } from "./container_options.ts";
import { readLogs } from "./container_logs.ts";
import { ask, type Engine, engineWords } from "./engine.ts";
import { watchExit } from "./exit.ts";
import { settledWithin } from "../settled_within.ts";

/** Lines of a browser's output that an error carries. */
const LOG_LINES = 20;

const LOGS_WAIT_MS = 5_000;

/** How long a failed start waits for its container to be gone; after that the removal goes on by itself. */
const CLEANUP_WAIT_MS = 10_000;

/** A container whose browser answers. */
export interface StartedContainer {
  readonly container: Docker.Container;
  readonly info: ContainerInspectInfo;
  readonly endpoint: URL;
  /** `Chrome/126.0.6478.55` */
  readonly product: string;
}

/** What {@linkcode startContainer} needs besides the container's options. */
export interface StartOptions {
  readonly timeoutMs: number;
  /** Address of ports published by the engine; undefined: the container's own address is used. */
  readonly publishedOn: string | undefined;
  readonly signal: AbortSignal;
  /** Told of a removal that outlives a failed start. */
  readonly onCleanup: (removal: Promise<void>) => void;
}

/**
 * Makes and starts a container and waits until its browser answers.
 *
 * @throws {Error} with the last output of the browser; the container is gone then.
 */
export async function startContainer(
  engine: Engine,
  create: ContainerCreateOptions,
  options: StartOptions,
): Promise<StartedContainer> {
  // Not aborted: an engine that answers late would leave a container that nobody knows.
  const creating = engine.docker.createContainer(create);
  try {
    return await bringUp(creating, options);
  } catch (error) {
    const logs = await lastOutput(creating, options.signal);
    const removal = creating.then(removeContainer, () => {});
    options.onCleanup(removal);
    await settledWithin(removal, CLEANUP_WAIT_MS);
    if (options.signal.aborted) throw options.signal.reason;
    throw new Error(
      `Cannot start a container of image "${create.Image}": ${
        engineWords(error)
      }${logs && `\n${logs}`}`,
      { cause: error },
    );
  }
}

async function bringUp(
  creating: Promise<Docker.Container>,
  { publishedOn, signal, timeoutMs }: StartOptions,
): Promise<StartedContainer> {
  const container = await ask(() => creating, { signal });
  await ask((abortSignal) => container.start({ abortSignal }), { signal });
  const info = await inspect(container, signal);
  const address = cdpAddress(info, publishedOn);
  const { endpoint, product } = await whileRunning(
    container,
    signal,
    (signal) => waitForCdp(address, { timeoutMs, signal }),
  );
  signal.throwIfAborted();
  return { container, info, endpoint, product };
}

/** Does `work` with a signal that is also aborted when the container ends: nothing will answer then. */
async function whileRunning<T>(
  container: Docker.Container,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const watching = new AbortController();
  const ended = new AbortController();
  void watchExit(container, () => false, watching.signal).then(({ detail }) =>
    ended.abort(new Error(`its browser ended: ${detail}`))
  );
  try {
    return await work(AbortSignal.any([signal, ended.signal]));
  } finally {
    watching.abort();
  }
}

/** What a browser wrote before its start failed; empty if nobody wants to know. */
async function lastOutput(
  creating: Promise<Docker.Container>,
  signal: AbortSignal,
): Promise<string> {
  if (signal.aborted) return "";
  const reading = creating.then((container) => readLogs(container, LOG_LINES));
  return await ask(() => reading, { timeoutMs: LOGS_WAIT_MS }).catch(() => "");
}

/** Facts of a container. */
export function inspect(
  container: Docker.Container,
  signal?: AbortSignal,
): Promise<ContainerInspectInfo> {
  return ask((abortSignal) => container.inspect({ abortSignal }), { signal });
}

/**
 * `http://` address of a container's CDP.
 *
 * Always with an IP address: Chromium refuses other `Host` headers.
 */
export function cdpAddress(
  { NetworkSettings, State }: ContainerInspectInfo,
  publishedOn: string | undefined,
): URL {
  if (!State.Running) {
    throw new Error(`its browser ended at once, exit code ${State.ExitCode}`);
  }
  if (publishedOn !== undefined) {
    const port = NetworkSettings.Ports[CDP_PORT]?.[0]?.HostPort;
    return new URL(`http://${publishedOn}:${port}`);
  }
  const [network] = Object.values(NetworkSettings.Networks);
  if (!network?.IPAddress) throw new Error("it has no address in its network");
  return new URL(`http://${network.IPAddress}:${parseInt(CDP_PORT)}`);
}
