import { systemClock } from "../../../async/clock.ts";
import { deadline } from "../../../async/deadline.ts";
import { abortable } from "../../../async/abortable.ts";
import { toMessage } from "../../../core/log.ts";
import { IMAGE_CDP_PORT } from "../../kit/browser_image.ts";
import { type CdpReady, waitForCdp } from "../../kit/wait_for_cdp.ts";
import type { ContainerGroups, ReadGroup } from "../arm/container_groups.ts";
import { CONTAINER, type GroupBody } from "../group/body.ts";
import type { GroupReaper } from "../group/reaper.ts";
import { DELETED, readGroupState } from "../group/state.ts";
import { GroupEnded, waitUntilRunning } from "./wait_until_running.ts";

/** Number of output lines in the error of a failed start. */
const LOG_LINES = 20;

/** Timeout of the request for them. */
const LOGS_TIMEOUT_MS = 5_000;

/** Maximum wait of a failed start for the removal of its group, which continues in the background. */
const CLEANUP_WAIT_MS = 3_000;

/** Interval at which a group is read while its browser does not respond yet. */
const WATCH_MS = 1_000;

/** Options of {@linkcode startGroup}. */
export interface GroupStart {
  readonly name: string;
  readonly body: GroupBody;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The host's reaper, which removes the group of a failed start. */
  readonly reaper: GroupReaper;
  /** Aborted when the closed host no longer waits. */
  readonly abandoned: AbortSignal;
}

/**
 * Creates a container group and waits until its browser responds.
 *
 * @throws {Error} With the reason of Azure and the last output of the browser. The group is removed, if necessary in the
 *   background.
 */
export async function startGroup(
  groups: ContainerGroups,
  start: GroupStart,
): Promise<CdpReady> {
  const { name, body, signal, reaper, abandoned, timeoutMs } = start;
  // Not aborted by `signal`: a late response of Azure would leave an unknown group.
  const creating = groups.create(name, body, {
    signal: abandoned,
    retryWithinMs: timeoutMs,
  });
  try {
    return await createAndWait(groups, creating, start);
  } catch (error) {
    const logs = signal.aborted ? "" : await readLastOutput(groups, name);
    const waitMs = CLEANUP_WAIT_MS;
    await reaper.removePending({ name, creating, waitMs });
    if (signal.aborted) throw signal.reason;
    const [{ properties: { image } }] = body.properties.containers;
    throw new Error(
      `Cannot start a container group of image "${image}": ${toMessage(error)}${
        logs && `\n${logs}`
      }`,
      { cause: error },
    );
  }
}

async function createAndWait(
  groups: ContainerGroups,
  creating: Promise<ReadGroup>,
  { name, timeoutMs, signal }: GroupStart,
): Promise<CdpReady> {
  const lateAt = systemClock.monotonic() + timeoutMs;
  const created = await abortable(creating, signal);
  // In whole seconds, because errors contain it.
  const left = () =>
    Math.max(0, Math.ceil((lateAt - systemClock.monotonic()) / 1_000)) * 1_000;
  const ip = await waitUntilRunning(groups, created, {
    name,
    timeoutMs: left(),
    signal,
  });
  const address = new URL(`http://${ip}:${IMAGE_CDP_PORT}`);
  const ready = await whileRunning(
    groups,
    name,
    signal,
    (signal) => waitForCdp(address, { timeoutMs: left(), signal }),
  );
  signal.throwIfAborted();
  return ready;
}

/** Runs `work` with a signal that is also aborted when the group ends. */
async function whileRunning<T>(
  groups: ContainerGroups,
  name: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const watching = new AbortController();
  const ended = new AbortController();
  const watch = async () => {
    for (;;) {
      await systemClock.sleep(WATCH_MS, watching.signal);
      const found = await groups.find(name, watching.signal).catch(() => null);
      if (found === null) continue;
      const state = found ? readGroupState(found.group) : DELETED;
      if (state.phase === "ended") ended.abort(new GroupEnded(state));
    }
  };
  void watch().catch(() => {});
  try {
    return await work(AbortSignal.any([signal, ended.signal]));
  } finally {
    watching.abort();
  }
}

/** Returns the last output of a browser whose start failed; empty if there is none. */
async function readLastOutput(
  groups: ContainerGroups,
  name: string,
): Promise<string> {
  using timeout = deadline(systemClock, LOGS_TIMEOUT_MS);
  const request = { name, container: CONTAINER, lines: LOG_LINES };
  return await groups.readLogs(request, timeout.signal).catch(() => "");
}
