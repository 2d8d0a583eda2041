import { IMAGE_CDP_PORT } from "../../kit/browser_image.ts";
import {
  type CdpReady,
  type CdpWaitOptions,
  waitForCdp,
} from "../../kit/wait_for_cdp.ts";
import type { Pod } from "../api/objects.ts";
import type { PortForwards } from "../api/port_forward.ts";
import { readSessionId } from "./labels.ts";

/** A browser that responds, and the unix socket by which it is reached through the API server. */
export interface ReachedBrowser extends CdpReady {
  readonly socketPath: string | undefined;
}

/**
 * Waits until the browser in a running pod responds.
 *
 * @param forwards Forwards connections to pods; undefined if pods are reached at their addresses.
 */
export async function reachBrowser(
  pod: Pod,
  forwards: PortForwards | undefined,
  options: Omit<CdpWaitOptions, "socketPath">,
): Promise<ReachedBrowser> {
  const { podIP } = pod.status ?? {};
  if (forwards === undefined) {
    const host = podIP?.includes(":") ? `[${podIP}]` : podIP;
    const address = new URL(`http://${host}:${IMAGE_CDP_PORT}`);
    return { ...await waitForCdp(address, options), socketPath: undefined };
  }
  const socketPath = await forwards.open(
    pod.metadata.name,
    readSessionId(pod),
  );
  const address = new URL(`http://127.0.0.1:${IMAGE_CDP_PORT}`);
  try {
    return {
      ...await waitForCdp(address, { ...options, socketPath }),
      socketPath,
    };
  } catch (error) {
    await forwards.close(pod.metadata.name);
    throw error;
  }
}
