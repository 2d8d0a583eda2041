import type Docker from "dockerode";
import type { ContainerInspectInfo } from "dockerode";
import { waitForCdp } from "../../kit/wait_for_cdp.ts";
import { CDP_PORT } from "./options.ts";
import { readLogs } from "./logs.ts";
import { createContainer, type NamedContainer } from "./create.ts";
import { callEngine, type Engine, engineMessage } from "../engine/engine.ts";
import { watchExit } from "./exit.ts";
import type { ContainerReaper } from "./reaper.ts";

/** Lines of a browser's output that an error carries. */
const LOG_LINES = 20;

/** How long a failed start waits for its container to be gone; after that the removal goes on by itself. */
const CLEANUP_WAIT_MS = 10_000;

/** How long an engine may take to make a container that nobody waits for any more. */
const CREATE_TIMEOUT_MS = 300_000;

/** A container whose browser answers. */
export interface StartedContainer {
  readonly container: Docker.Container;
  readonly info: ContainerInspectInfo;
  readonly endpoint: URL;
  /** `Chrome/126.0.6478.55` */
  readonly product: string;
}

/** What {@linkcode startContainer} needs besides the container's options. */
export interface ContainerStartOptions {
  /** For each of its steps. */
  readonly timeoutMs: number;
  /** Address of ports published by the engine; undefined: the container's own address is used. */
  readonly publishedOn: string | undefined;
  readonly signal: AbortSignal;
  /** Those of the host, which go on with what a failed start could not wait for. */
  readonly reaper: ContainerReaper;
  /** Aborted when the host is closed and waits no more. */
  readonly abandoned: AbortSignal;
}

/**
 * Makes and starts a container and waits until its browser answers.
 *
 * @throws {Error} with the last output of the browser; the container is gone then, or is removed in the background.
 */
export async function startContainer(
  engine: Engine,
  create: NamedContainer,
  options: ContainerStartOptions,
): Promise<StartedContainer> {
  const { signal, reaper, abandoned } = options;
  // Not aborted by `signal`: an engine that answers late would leave a container that nobody knows.
  const creating = callEngine(
    (abortSignal) => createContainer(engine, create, abortSignal),
    { signal: abandoned, timeoutMs: CREATE_TIMEOUT_MS },
  );
  try {
    return await startAndWait(creating, options);
  } catch (error) {
    const logs = signal.aborted
      ? ""
      : await readLastOutput(engine, create.name);
    const waitMs = CLEANUP_WAIT_MS;
    await reaper.removePending({ name: create.name, creating, waitMs });
    if (signal.aborted) throw signal.reason;
    throw new Error(
      `Cannot start a container of image "${create.Image}": ${
        engineMessage(error)
      }${logs && `\n${logs}`}`,
      { cause: error },
    );
  }
}

async function startAndWait(
  creating: Promise<Docker.Container>,
  { publishedOn, signal, timeoutMs }: ContainerStartOptions,
): Promise<StartedContainer> {
  const limits = { signal, timeoutMs };
  const container = await callEngine(() => creating, limits);
  await callEngine((abortSignal) => container.start({ abortSignal }), limits);
  const info = await inspectContainer(container, signal);
  const address = findCdpAddress(info, publishedOn);
  const { endpoint, product } = await whileRunning(
    container,
    signal,
    (signal) => waitForCdp(address, { timeoutMs, signal }),
  );
  signal.throwIfAborted();
  return { container, info, endpoint, product };
}

/** Does `work` with a signal that is also aborted when the container ends: nothing will answer then. */
export async function whileRunning<T>(
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

/** What a browser wrote before its start failed. */
async function readLastOutput(engine: Engine, name: string): Promise<string> {
  return await readLogs(engine.docker.getContainer(name), LOG_LINES)
    .catch(() => "");
}

/** Facts of a container. */
export function inspectContainer(
  container: Docker.Container,
  signal?: AbortSignal,
): Promise<ContainerInspectInfo> {
  return callEngine((abortSignal) => container.inspect({ abortSignal }), {
    signal,
  });
}

/**
 * `http://` address of a container's CDP.
 *
 * Always with an IP address: Chromium refuses other `Host` headers.
 */
export function findCdpAddress(
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
