import type { ContainerInfo, ContainerInspectInfo } from "dockerode";
import type { HostInfo } from "../../../core/provider.ts";
import { type CdpReady, waitForCdp } from "../../kit/wait_for_cdp.ts";
import { ask, because, type Engine, engineStatus } from "../engine/engine.ts";
import { ownContainers, SESSION_LABEL } from "./labels.ts";
import { cdpAddress, inspect, whileRunning } from "./start.ts";

/** How long an adopted browser may take to answer; it has been running for a while. */
const ADOPT_TIMEOUT_MS = 10_000;

/** How long it may take for one answer: a machine on which a worker starts is often busy. */
const ANSWER_TIMEOUT_MS = 5_000;

/** Every container that this worker of this grid once made, in any state. */
export function listOwn(
  engine: Engine,
  host: HostInfo,
): Promise<ContainerInfo[]> {
  return ask((abortSignal) =>
    engine.docker.listContainers({
      all: true,
      filters: ownContainers(host),
      abortSignal,
    })
  ).catch(because("Cannot list this worker's containers"));
}

/** The session that a container was made for. */
export function sessionOf({ Labels }: ContainerInfo): string {
  return Labels[SESSION_LABEL] ?? "";
}

/** How {@linkcode findRunning} reaches a browser. */
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
export async function findRunning(
  engine: Engine,
  listed: ContainerInfo,
  { publishedOn, closed }: AdoptOptions,
): Promise<FoundContainer | undefined> {
  const container = engine.docker.getContainer(listed.Id);
  const info = await inspect(container, closed).catch((error) => {
    if (engineStatus(error) === 404) return undefined;
    throw error;
  });
  if (!info?.State.Running) return undefined;
  const ready = await whileRunning(
    container,
    closed,
    (signal) =>
      waitForCdp(cdpAddress(info, publishedOn), {
        timeoutMs: ADOPT_TIMEOUT_MS,
        answerTimeoutMs: ANSWER_TIMEOUT_MS,
        signal,
      }),
  ).catch(() => undefined);
  return ready && { ...ready, listed, info };
}
