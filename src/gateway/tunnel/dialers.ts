import type { Duplex } from "node:stream";
import type { WorkerManager } from "../../apps/workers/manager.ts";
import type { Core } from "../../core/app.ts";
import { deadline } from "../../async/deadline.ts";
import { isTunnelOnly } from "../../core/provider.ts";
import { GridError } from "../../core/errors.ts";
import type { RunningTarget } from "../target.ts";
import {
  browserUnreachable,
  bySocket,
  directly,
  type StreamOptions,
  type WayTo,
} from "../dialer.ts";
import { borrow } from "./replica.ts";
import { AWAY_MS, OPEN_MS, TUNNEL_OPENED, type Tunnels } from "./tunnels.ts";
import type { Verdicts } from "./reachability.ts";
import { gatewayProblems } from "../problems.ts";

/** Longest wait for a direct connection where there is a tunnel besides. */
const DIRECT_MS = 1_000;

/** How often it is looked whether a tunnel has come back to another server. */
const LOOK_MS = 500;

/** What ways are made of. */
export interface WayParts {
  readonly core: Core;
  readonly workers: WorkerManager;
  readonly tunnels: Tunnels;
  readonly verdicts: Verdicts;
}

/** A session's browser, and the worker that holds it. */
type Held = RunningTarget & { readonly workerId: string };

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
export function createWays(parts: WayParts): WayTo {
  return (target) => {
    const { workerId } = target;
    if (workerId === null) return directly(target);
    const held = { ...target, workerId };
    return {
      url: target.url,
      connect: (signal, options) =>
        connect(parts, held, { ...options, signal }),
    };
  };
}

async function connect(
  parts: WayParts,
  target: Held,
  { signal, ...options }: StreamOptions & { readonly signal: AbortSignal },
): Promise<Duplex> {
  const { core, tunnels, verdicts } = parts;
  if (isTunnelOnly(target.url)) {
    const path = core.localWorkers.get(target.workerId)?.(target.id);
    return path === undefined
      ? await through(parts, target, signal)
      : await bySocket(target.url, path).connect(signal, options);
  }
  const hasTunnel = target.tunnelUrl !== null || tunnels.has(target.workerId);
  const known = target.reach ?? (hasTunnel ? undefined : "direct");
  const reach = known ?? await verdicts.of(target);
  if (reach === "tunnel") return await through(parts, target, signal);
  if (!hasTunnel) return await directly(target).connect(signal, options);
  try {
    using patience = deadline(core.clock, DIRECT_MS, signal);
    return await directly(target).connect(patience.signal, options);
  } catch (error) {
    if (signal.aborted) throw error;
    const stream = await through(parts, target, signal);
    verdicts.enter(target.workerId, "tunnel");
    return stream;
  }
}

/** @throws {GridError} `worker_unreachable`. */
async function through(
  parts: WayParts,
  target: Held,
  signal: AbortSignal,
): Promise<Duplex> {
  const { core, tunnels } = parts;
  const { workerId, id: sessionId } = target;
  try {
    const url = await holderInTime(parts, target, signal);
    using patience = deadline(core.clock, OPEN_MS, signal);
    return url === undefined
      ? await tunnels.stream({ workerId, sessionId }, patience.signal)
      : await borrow(core, { url, workerId, sessionId }, patience.signal);
  } catch (cause) {
    const hasTunnel = target.tunnelUrl !== null || tunnels.has(workerId);
    throw isTunnelOnly(target.url) && !hasTunnel
      ? outOfReach(cause)
      : browserUnreachable(cause);
  }
}

async function holderInTime(
  parts: WayParts,
  target: Held,
  signal: AbortSignal,
): Promise<string | undefined> {
  using patience = deadline(parts.core.clock, AWAY_MS, signal);
  return await holder(parts, target, patience.signal);
}

function outOfReach(cause: unknown): GridError {
  return new GridError(
    gatewayProblems.worker_unreachable,
    "Cannot reach the browser: it is not at its worker's address, and the worker has no open tunnel, expected a tunnel, or its network in the setting worker_networks; try again",
    {},
    { cause },
  );
}

/** Where the other server is reached that has the tunnel; undefined: this one has. Waits for one that is away. */
async function holder(
  { core, workers, tunnels }: WayParts,
  { workerId, tunnelUrl }: Held,
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
      using pause = deadline(core.clock, LOOK_MS, signal);
      await core.bus.next(
        ({ type, subject }) => type === TUNNEL_OPENED && subject === workerId,
        pause.signal,
      );
      signal.throwIfAborted();
    }
    url = await workers.findTunnelUrl(workerId);
  }
}
