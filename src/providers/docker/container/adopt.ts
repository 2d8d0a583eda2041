import type { ContainerInfo, ContainerInspectInfo } from "dockerode";
import type { HostInfo } from "../../../core/provider.ts";
import { type CdpReady, waitForCdp } from "../../kit/wait_for_cdp.ts";
import { callEngine } from "../engine/call_engine.ts";
import type { Engine } from "../engine/engine.ts";
import { engineStatus, rethrowAs } from "../engine/engine_error.ts";
import { SESSION_LABEL, workerFilter } from "./labels.ts";
import { findCdpAddress, inspectContainer, whileRunning } from "./start.ts";

/** Timeout of the first response of an adopted browser, which has been running for a while. */
const ADOPT_TIMEOUT_MS = 10_000;

/** Timeout of one request: a machine on which a worker starts is often busy. */
const RESPONSE_TIMEOUT_MS = 5_000;

/** Lists the containers of this worker in this grid, in any state. */
export function listContainers(
  engine: Engine,
  host: HostInfo,
): Promise<ContainerInfo[]> {
  return callEngine((abortSignal) =>
    engine.docker.listContainers({
      all: true,
      filters: workerFilter(host),
      abortSignal,
    })
  ).catch(rethrowAs("Cannot list this worker's containers"));
}

/** Returns the session id of a container. */
export function readSessionId({ Labels }: ContainerInfo): string {
  return Labels[SESSION_LABEL] ?? "";
}

/** Options of {@linkcode findRunningContainer}. */
export interface FindContainerOptions {
  /** Address of ports published by the engine; undefined if the container's address is used. */
  readonly publishedOn: string | undefined;
  /** Ends the wait. */
  readonly closed: AbortSignal;
}

/** A container of an earlier process whose browser responds. */
export interface FoundContainer extends CdpReady {
  readonly listed: ContainerInfo;
  readonly info: ContainerInspectInfo;
}

/**
 * Returns the browser in a container of an earlier process; undefined if the container has ended or the browser does
 * not respond.
 *
 * @throws {Error} If the engine does not return the state of the container, so that no browser is lost because the
 *   engine is slow.
 */
export async function findRunningContainer(
  engine: Engine,
  listed: ContainerInfo,
  { publishedOn, closed }: FindContainerOptions,
): Promise<FoundContainer | undefined> {
  const container = engine.docker.getContainer(listed.Id);
  const info = await inspectContainer(container, closed).catch((error) => {
    if (engineStatus(error) === 404) return undefined;
    throw error;
  });
  if (!info?.State.Running) return undefined;
  const ready = await whileRunning(
    container,
    closed,
    (signal) =>
      waitForCdp(findCdpAddress(info, publishedOn), {
        timeoutMs: ADOPT_TIMEOUT_MS,
        responseTimeoutMs: RESPONSE_TIMEOUT_MS,
        signal,
      }),
  ).catch(() => undefined);
  return ready && { ...ready, listed, info };
}
