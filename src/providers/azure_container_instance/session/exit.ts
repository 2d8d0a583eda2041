/**
 * Detection and explanation of a browser's end in a container group.
 *
 * ```text
 * CDP socket --closed--> does it respond? --no--> read the group --ended or gone--> explain
 *    ^  |                        | yes                 ^    |
 *    |  +-- half a minute -------|---------------------+    |
 *    +---------------------------+--------- running --------+
 * ```
 *
 * The socket reports an end at once and without requests to Azure, whose number is limited. The group is read when the
 * socket closes, and every half a minute, because a vanished machine closes no socket.
 *
 * @module
 */
import { systemClock } from "../../../async/clock.ts";
import { deadline } from "../../../async/deadline.ts";
import type { BrowserExit } from "../../../core/provider.ts";
import { waitForHangUp } from "../../kit/cdp_socket.ts";
import { waitForCdp } from "../../kit/wait_for_cdp.ts";
import type { ContainerGroups } from "../arm/container_groups.ts";
import { DELETED, type GroupEnd, readGroupState } from "../group/state.ts";

/** Interval at which the group is read while the browser is connected. */
const WATCH_MS = 30_000;

/** Pause before the next read of a group whose browser does not respond. */
const RETRY_MS = 500;

/** Time for which a browser that does not respond may belong to a group that Azure reports as running. */
const SILENT_MS = 45_000;

/** Time within which a browser that closed its socket responds if it has not ended. */
const RESPONSE_MS = 500;

/** Pause before the next connection to a browser that closed one but responds. */
const RECONNECT_MS = 1_000;

/** A browser to watch. */
export interface WatchedBrowser {
  readonly name: string;
  readonly endpoint: URL;
  readonly wasStopped: () => boolean;
}

/**
 * Waits until a session's group has ended and returns the reason.
 *
 * @param signal Ends the wait. The promise then never settles.
 */
export async function watchExit(
  groups: ContainerGroups,
  browser: WatchedBrowser,
  signal: AbortSignal,
): Promise<BrowserExit> {
  while (!signal.aborted) {
    const hasHungUp = await waitForEnd(browser.endpoint, signal);
    if (hasHungUp && await responds(browser.endpoint, signal)) {
      await systemClock.sleep(RECONNECT_MS, signal).catch(() => {});
      continue;
    }
    const end = await readEnd(groups, browser.name, {
      // While the browser is connected, one read is enough.
      untilMs: hasHungUp ? SILENT_MS : 0,
      signal,
    });
    if (signal.aborted) break;
    if (browser.wasStopped()) return { reason: "stopped", detail: "stopped" };
    if (end) return toExit(end);
    if (hasHungUp) {
      return {
        reason: "crashed",
        detail:
          `no longer answers at ${browser.endpoint.host}, although its container group runs`,
      };
    }
  }
  return new Promise(() => {});
}

/** Resolves when the browser closes its socket, with true, or after half a minute. */
async function waitForEnd(
  endpoint: URL,
  signal: AbortSignal,
): Promise<boolean> {
  using timeout = deadline(systemClock, WATCH_MS, signal);
  await waitForHangUp({ endpoint }, { signal: timeout.signal });
  return !timeout.signal.aborted;
}

async function responds(endpoint: URL, signal: AbortSignal): Promise<boolean> {
  const address = new URL(`http://${endpoint.host}`);
  const options = {
    timeoutMs: RESPONSE_MS,
    responseTimeoutMs: RESPONSE_MS,
    signal,
  };
  return await waitForCdp(address, options).then(() => true, () => false);
}

/**
 * Reads a group until it has ended, at least once, and returns its end; undefined if it has not after `untilMs`. An
 * outage of Azure does not count as time.
 */
async function readEnd(
  groups: ContainerGroups,
  name: string,
  { untilMs, signal }: {
    readonly untilMs: number;
    readonly signal: AbortSignal;
  },
): Promise<GroupEnd | undefined> {
  let silentSince = systemClock.monotonic();
  while (!signal.aborted) {
    try {
      const found = await groups.find(name, signal);
      const state = found ? readGroupState(found.group) : DELETED;
      if (state.phase === "ended") return state;
      if (systemClock.monotonic() >= silentSince + untilMs) return undefined;
    } catch {
      if (untilMs === 0) return undefined;
      silentSince = systemClock.monotonic();
    }
    await systemClock.sleep(RETRY_MS, signal).catch(() => {});
  }
}

function toExit({ isClean, detail }: GroupEnd): BrowserExit {
  return isClean
    ? { reason: "stopped", detail: "the browser closed itself" }
    : { reason: "crashed", detail };
}
