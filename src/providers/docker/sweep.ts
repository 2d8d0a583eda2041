import type { ContainerInfo } from "dockerode";
import type { HostInfo } from "../../core/provider.ts";
import { waitForCdp } from "../cdp_ready.ts";
import { ContainerBrowser } from "./container.ts";
import { ask, type Engine } from "./engine.ts";
import { ownContainers, SESSION_LABEL } from "./labels.ts";
import { cdpAddress, inspect } from "./start_container.ts";

/** How long an adopted browser may take to answer; it has been running for a while. */
const ADOPT_TIMEOUT_MS = 5_000;

/** Every container that this worker of this grid once made, running or not. */
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
  );
}

/** The session that a container was made for. */
export function sessionOf({ Labels }: ContainerInfo): string {
  return Labels[SESSION_LABEL] ?? "";
}

/** How {@linkcode adoptContainer} reaches a browser. */
export interface AdoptOptions {
  readonly publishedOn: string | undefined;
  readonly closed: AbortSignal;
}

/** The browser in a container of an earlier process; undefined if it no longer answers. */
export async function adoptContainer(
  engine: Engine,
  listed: ContainerInfo,
  { publishedOn, closed }: AdoptOptions,
): Promise<ContainerBrowser | undefined> {
  const container = engine.docker.getContainer(listed.Id);
  try {
    const info = await inspect(container, closed);
    const { endpoint, product } = await waitForCdp(
      cdpAddress(info, publishedOn),
      { timeoutMs: ADOPT_TIMEOUT_MS, signal: closed },
    );
    return new ContainerBrowser({
      sessionId: sessionOf(listed),
      container,
      endpoint,
      details: {
        container_id: listed.Id,
        image: listed.Image,
        browser_version: product,
      },
      startedAt: Date.parse(info.State.StartedAt),
      closed,
    });
  } catch {
    return undefined;
  }
}
