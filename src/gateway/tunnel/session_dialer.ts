import type { Duplex } from "node:stream";
import type { WorkerManager } from "../../apps/workers/manager.ts";
import { deadline } from "../../async/deadline.ts";
import type { Core } from "../../core/app.ts";
import { GridError } from "../../core/errors.ts";
import { isTunnelOnly } from "../../core/network.ts";
import {
  browserUnreachable,
  type Dialer,
  DirectDialer,
  type RunningTarget,
  type StreamOptions,
  UnixSocketDialer,
} from "../dialer.ts";
import type { StreamReach } from "../connection_metrics.ts";
import { gatewayProblems } from "../problems.ts";
import type { ReachabilityCache } from "./reachability.ts";
import { openRemoteStream } from "./replica.ts";
import {
  DIAL_BACK_MS,
  RECONNECT_MS,
  TUNNEL_OPENED,
  type WorkerTunnels,
} from "./worker_tunnels.ts";

/** Timeout of a direct connection to a browser whose worker has a tunnel. */
const DIRECT_MS = 1_000;

/** Interval of the reads that detect a tunnel that has been opened to another server. */
const POLL_INTERVAL_MS = 500;

/** Dependencies of the dialers. */
export interface DialersContext {
  readonly core: Core;
  readonly workers: WorkerManager;
  readonly tunnels: WorkerTunnels;
  readonly reachability: ReachabilityCache;
}

/** Returns the function that creates the dialers of sessions' browsers. */
export function createDialerFor(
  context: DialersContext,
): (target: RunningTarget) => Dialer {
  return (target) => {
    const { workerId } = target;
    return workerId === null
      ? new DirectDialer(target)
      : new SessionDialer(context, { ...target, workerId });
  };
}

/** A running session and the worker that holds it. */
type HeldTarget = RunningTarget & { readonly workerId: string };

/**
 * Dials the browser of a session, directly or through the tunnel of its worker.
 *
 * ```
 * browser's address / reachability   dialled
 * not to be dialled by the server    the browser's unix socket if its worker is in this process, otherwise the tunnel
 * tunnel                             the tunnel only
 * direct                             the address; if it does not respond, the tunnel if there is one
 * unknown                            the address, if there is no tunnel or the browser responds at the address;
 *                                    otherwise the tunnel
 * ```
 */
class SessionDialer implements Dialer {
  readonly url: URL;
  #reach: StreamReach = "direct";
  readonly #context: DialersContext;
  readonly #target: HeldTarget;

  constructor(context: DialersContext, target: HeldTarget) {
    this.url = target.url;
    this.#context = context;
    this.#target = target;
  }

  get reach(): StreamReach {
    return this.#reach;
  }

  async dial(signal: AbortSignal, options?: StreamOptions): Promise<Duplex> {
    const { core, reachability } = this.#context;
    const target = this.#target;
    if (isTunnelOnly(target.url)) {
      const path = core.localWorkers.get(target.workerId)?.(target.id);
      if (path !== undefined) this.#reach = "local";
      return path === undefined
        ? await this.#dialViaTunnel(signal)
        : await new UnixSocketDialer(target.url, path).dial(signal, options);
    }
    const hasTunnel = this.#hasTunnel();
    const known = target.reach ?? (hasTunnel ? undefined : "direct");
    const reach = known ?? await reachability.resolve(target);
    if (reach === "tunnel") return await this.#dialViaTunnel(signal);
    const direct = new DirectDialer(target);
    if (!hasTunnel) return await direct.dial(signal, options);
    try {
      using timeout = deadline(core.clock, DIRECT_MS, signal);
      return await direct.dial(timeout.signal, options);
    } catch (error) {
      if (signal.aborted) throw error;
      const stream = await this.#dialViaTunnel(signal);
      reachability.record(target.workerId, "tunnel");
      return stream;
    }
  }

  #hasTunnel(): boolean {
    const { tunnelUrl, workerId } = this.#target;
    return tunnelUrl !== null || this.#context.tunnels.has(workerId);
  }

  /** @throws {GridError} `worker_unreachable`. */
  async #dialViaTunnel(signal: AbortSignal): Promise<Duplex> {
    this.#reach = "tunnel";
    const { core, tunnels } = this.#context;
    const { workerId, id: sessionId } = this.#target;
    try {
      const url = await this.#waitForTunnel(signal);
      using timeout = deadline(core.clock, DIAL_BACK_MS, signal);
      const stream = { workerId, sessionId };
      return url === undefined
        ? await tunnels.openStream(stream, timeout.signal)
        : await openRemoteStream(core, { url, ...stream }, timeout.signal);
    } catch (cause) {
      throw isTunnelOnly(this.url) && !this.#hasTunnel()
        ? browserOutOfReach(cause)
        : browserUnreachable(cause);
    }
  }

  /**
   * Returns the URL of the other server that has the worker's tunnel; undefined if this server has it. Waits for a
   * disconnected tunnel.
   *
   * @throws The timeout's reason if no server has the tunnel in time.
   */
  async #waitForTunnel(signal: AbortSignal): Promise<string | undefined> {
    const { core, workers, tunnels } = this.#context;
    const { workerId, tunnelUrl } = this.#target;
    using timeout = deadline(core.clock, RECONNECT_MS, signal);
    const ownUrl = core.replicaUrl();
    let url = tunnelUrl ?? undefined;
    for (let isFresh = false;; isFresh = true) {
      const isHere = tunnels.has(workerId);
      const isElsewhere = url !== undefined && url !== ownUrl;
      if (isHere && !isElsewhere) return undefined;
      // If both this server and the record claim the tunnel, one of them is outdated: read the record again first.
      if (isElsewhere && (isFresh || !isHere)) return url;
      if (!isHere) {
        using pause = deadline(core.clock, POLL_INTERVAL_MS, timeout.signal);
        await core.bus.next(
          ({ type, subject }) => type === TUNNEL_OPENED && subject === workerId,
          pause.signal,
        );
        timeout.signal.throwIfAborted();
      }
      url = await workers.findTunnelUrl(workerId);
    }
  }
}

function browserOutOfReach(cause: unknown): GridError {
  return new GridError(
    gatewayProblems.worker_unreachable,
    "Cannot reach the browser: it is not at its worker's address, and the worker has no open tunnel, expected a tunnel, or its network in the setting worker_networks; try again",
    {},
    { cause },
  );
}
