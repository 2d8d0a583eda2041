import type { Duplex } from "node:stream";
import type { WorkerManager } from "../../apps/workers/manager.ts";
import type { Core } from "../../core/app.ts";
import { deadline } from "../../async/deadline.ts";
import { isTunnelOnly } from "../../core/provider.ts";
import { GridError } from "../../core/errors.ts";
import type { RunningTarget } from "../target.ts";
import {
  browserUnreachable,
  dialDirect,
  type DialerFor,
  dialUnixSocket,
  type StreamOptions,
} from "../dialer.ts";
import { openRemoteStream } from "./replica.ts";
import {
  DIAL_BACK_MS,
  RECONNECT_MS,
  TUNNEL_OPENED,
  type WorkerTunnels,
} from "./tunnels.ts";
import type { ReachabilityCache } from "./reachability.ts";
import { gatewayProblems } from "../problems.ts";

/** Longest wait for a direct connection where there is a tunnel besides. */
const DIRECT_MS = 1_000;

/** How often it is looked whether a tunnel has come back to another server. */
const POLL_INTERVAL_MS = 500;

/** What ways are made of. */
export interface DialersContext {
  readonly core: Core;
  readonly workers: WorkerManager;
  readonly tunnels: WorkerTunnels;
  readonly reachability: ReachabilityCache;
}

/** A session's browser, and the worker that holds it. */
type HeldTarget = RunningTarget & { readonly workerId: string };

/**
 * Chooses the way to each browser.
 *
 * ```
 * reach of the session   way
 * any                    if the server may not dial the address: by the browser's unix socket, if its
 *                        worker is in this process, else through the tunnel
 * tunnel                 through the tunnel; nothing is dialled
 * direct                 to the address; if nobody answers there, through the tunnel if there is one
 * not known yet          to the address, if there is no tunnel or the browser answers there; else through the tunnel
 * ```
 */
export function createDialers(parts: DialersContext): DialerFor {
  return (target) => {
    const { workerId } = target;
    if (workerId === null) return dialDirect(target);
    const held = { ...target, workerId };
    return {
      url: target.url,
      dial: (signal, options) =>
        dialTarget(parts, held, { ...options, signal }),
    };
  };
}

async function dialTarget(
  parts: DialersContext,
  target: HeldTarget,
  { signal, ...options }: StreamOptions & { readonly signal: AbortSignal },
): Promise<Duplex> {
  const { core, tunnels, reachability } = parts;
  if (isTunnelOnly(target.url)) {
    const path = core.localWorkers.get(target.workerId)?.(target.id);
    return path === undefined
      ? await dialViaTunnel(parts, target, signal)
      : await dialUnixSocket(target.url, path).dial(signal, options);
  }
  const hasTunnel = target.tunnelUrl !== null || tunnels.has(target.workerId);
  const known = target.reach ?? (hasTunnel ? undefined : "direct");
  const reach = known ?? await reachability.resolve(target);
  if (reach === "tunnel") return await dialViaTunnel(parts, target, signal);
  if (!hasTunnel) return await dialDirect(target).dial(signal, options);
  try {
    using timeout = deadline(core.clock, DIRECT_MS, signal);
    return await dialDirect(target).dial(timeout.signal, options);
  } catch (error) {
    if (signal.aborted) throw error;
    const stream = await dialViaTunnel(parts, target, signal);
    reachability.record(target.workerId, "tunnel");
    return stream;
  }
}

/** @throws {GridError} `worker_unreachable`. */
async function dialViaTunnel(
  parts: DialersContext,
  target: HeldTarget,
  signal: AbortSignal,
): Promise<Duplex> {
  const { core, tunnels } = parts;
  const { workerId, id: sessionId } = target;
  try {
    const url = await findHolderInTime(parts, target, signal);
    using timeout = deadline(core.clock, DIAL_BACK_MS, signal);
    return url === undefined
      ? await tunnels.openStream({ workerId, sessionId }, timeout.signal)
      : await openRemoteStream(
        core,
        { url, workerId, sessionId },
        timeout.signal,
      );
  } catch (cause) {
    const hasTunnel = target.tunnelUrl !== null || tunnels.has(workerId);
    throw isTunnelOnly(target.url) && !hasTunnel
      ? browserOutOfReach(cause)
      : browserUnreachable(cause);
  }
}

async function findHolderInTime(
  parts: DialersContext,
  target: HeldTarget,
  signal: AbortSignal,
): Promise<string | undefined> {
  using timeout = deadline(parts.core.clock, RECONNECT_MS, signal);
  return await findHolder(parts, target, timeout.signal);
}

function browserOutOfReach(cause: unknown): GridError {
  return new GridError(
    gatewayProblems.worker_unreachable,
    "Cannot reach the browser: it is not at its worker's address, and the worker has no open tunnel, expected a tunnel, or its network in the setting worker_networks; try again",
    {},
    { cause },
  );
}

/** Where the other server is reached that has the tunnel; undefined: this one has. Waits for one that is away. */
async function findHolder(
  { core, workers, tunnels }: DialersContext,
  { workerId, tunnelUrl }: HeldTarget,
  signal: AbortSignal,
): Promise<string | undefined> {
  const own = core.replicaUrl();
  let url = tunnelUrl ?? undefined;
  for (let isFresh = false;; isFresh = true) {
    const isHere = tunnels.has(workerId);
    const isElsewhere = url !== undefined && url !== own;
    if (isHere && !isElsewhere) return undefined;
    // What this server still has may be the dead end of a tunnel that leads elsewhere by now; or the other way round.
    if (isElsewhere && (isFresh || !isHere)) return url;
    if (!isHere) {
      using pause = deadline(core.clock, POLL_INTERVAL_MS, signal);
      await core.bus.next(
        ({ type, subject }) => type === TUNNEL_OPENED && subject === workerId,
        pause.signal,
      );
      signal.throwIfAborted();
    }
    url = await workers.findTunnelUrl(workerId);
  }
}
