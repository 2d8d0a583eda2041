import { underWay } from "./under_way.ts";

/** Turns of the event loop in which nothing more comes of a request. */
const QUIET_TURNS = 20;

/**
 * Lets requests go on until they wait. The local database answers without a turn of the event loop; a remote one is
 * waited for.
 */
export async function untilWaiting(): Promise<void> {
  for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (underWay() > 0) quiet = 0;
  }
}
