import type { ContainerInfo, ContainerInspectInfo } from "dockerode";
import type { HostInfo } from "../../../core/provider.ts";
import { type CdpReady, waitForCdp } from "../../kit/wait_for_cdp.ts";
import {
  callEngine,
  type Engine,
  engineStatus,
  rethrowAs,
} from "../engine/engine.ts";
import { SESSION_LABEL, workerFilter } from "./labels.ts";
import { findCdpAddress, inspectContainer, whileRunning } from "./start.ts";

/** How long an adopted browser may take to answer; it has been running for a while. */
const ADOPT_TIMEOUT_MS = 10_000;

/** How long it may take for one answer: a machine on which a worker starts is often busy. */
const RESPONSE_TIMEOUT_MS = 5_000;

/** Every container that this worker of this grid once made, in any state. */
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

/** The session that a container was made for. */
export function readSessionId({ Labels }: ContainerInfo): string {
  return Labels[SESSION_LABEL] ?? "";
}

/** How {@linkcode findRunningContainer} reaches a browser. */
export interface AdoptOptions {
  readonly publishedOn: string | undefined;
  readonly closed: AbortSignal;
}

/** A container of an earlier process whose browser answers. */
export interface FoundContainer extends CdpReady {
  readonly listed: ContainerInfo;
  readonly info: ContainerInspectInfo;
}

/**
 * The browser in a container of an earlier process; undefined if its container has ended, or if it does not answer.
 *
 * @throws {Error} if the engine does not tell, so that no browser is lost to an engine that is slow.
 */
export async function findRunningContainer(
  engine: Engine,
  listed: ContainerInfo,
  { publishedOn, closed }: AdoptOptions,
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
