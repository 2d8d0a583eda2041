import type Docker from "dockerode";
import type { ContainerInspectInfo } from "dockerode";
import { IMAGE_CDP_PORT } from "../../kit/browser_image.ts";
import { waitForCdp } from "../../kit/wait_for_cdp.ts";
import { callEngine } from "../engine/call_engine.ts";
import type { Engine } from "../engine/engine.ts";
import { engineMessage } from "../engine/engine_error.ts";
import { createContainer, type NamedContainer } from "./create.ts";
import { watchExit } from "./exit.ts";
import { readLogs } from "./logs.ts";
import { ENGINE_PORT } from "./options.ts";
import type { ContainerReaper } from "./reaper.ts";

/** Number of output lines in the error of a failed start. */
const LOG_LINES = 20;

/** Maximum wait of a failed start for the removal of its container, which continues in the background. */
const CLEANUP_WAIT_MS = 10_000;

/** Timeout of the creation of a container, which continues after the abort of a start. */
const CREATE_TIMEOUT_MS = 300_000;

/** A container whose browser responds. */
export interface StartedContainer {
  readonly container: Docker.Container;
  readonly info: ContainerInspectInfo;
  readonly endpoint: URL;
  /** Product and version, such as `Chrome/126.0.6478.55`. */
  readonly product: string;
}

/** Options of {@linkcode startContainer} in addition to the container's. */
export interface ContainerStartOptions {
  /** Timeout of each step. */
  readonly timeoutMs: number;
  /** Address of ports published by the engine; undefined if the container's address is used. */
  readonly publishedOn: string | undefined;
  readonly signal: AbortSignal;
  /** The host's reaper, which removes the container of a failed start. */
  readonly reaper: ContainerReaper;
  /** Aborted when the closed host no longer waits. */
  readonly abandoned: AbortSignal;
}

/**
 * Creates and starts a container and waits until its browser responds.
 *
 * @throws {Error} With the last output of the browser. The container is removed, if necessary in the background.
 */
export async function startContainer(
  engine: Engine,
  create: NamedContainer,
  options: ContainerStartOptions,
): Promise<StartedContainer> {
  const { signal, reaper, abandoned } = options;
  // Not aborted by `signal`: a late response of the engine would leave an unknown container.
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

/** Runs `work` with a signal that is also aborted when the container ends. */
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

/** Returns the last output of a browser whose start failed; empty if there is none. */
async function readLastOutput(engine: Engine, name: string): Promise<string> {
  return await readLogs(engine.docker.getContainer(name), LOG_LINES)
    .catch(() => "");
}

/** Requests the state of a container. */
export function inspectContainer(
  container: Docker.Container,
  signal?: AbortSignal,
): Promise<ContainerInspectInfo> {
  return callEngine((abortSignal) => container.inspect({ abortSignal }), {
    signal,
  });
}

/**
 * Returns the `http://` address of a container's CDP, with an IP address, because Chromium rejects other `Host` headers.
 *
 * @throws {Error} If the container has ended or has no address.
 */
export function findCdpAddress(
  { NetworkSettings, State }: ContainerInspectInfo,
  publishedOn: string | undefined,
): URL {
  if (!State.Running) {
    throw new Error(`its browser ended at once, exit code ${State.ExitCode}`);
  }
  if (publishedOn !== undefined) {
    const port = NetworkSettings.Ports[ENGINE_PORT]?.[0]?.HostPort;
    return new URL(`http://${publishedOn}:${port}`);
  }
  const [network] = Object.values(NetworkSettings.Networks);
  if (!network?.IPAddress) throw new Error("it has no address in its network");
  return new URL(`http://${network.IPAddress}:${IMAGE_CDP_PORT}`);
}
