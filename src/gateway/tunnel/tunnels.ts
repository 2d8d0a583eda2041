import type { SessionManager } from "../../apps/sessions/manager.ts";
import type { WorkerManager } from "../../apps/workers/manager.ts";
import type { Core } from "../../core/app.ts";
import { ReachabilityCache } from "./reachability.ts";
import { createDialerFor } from "./session_dialer.ts";
import {
  createTunnelHandlers,
  type TunnelHandlers,
} from "./tunnel_handlers.ts";
import { WorkerTunnels } from "./worker_tunnels.ts";

/** Dependencies of {@linkcode Tunnels}. */
export interface TunnelsContext {
  readonly core: Core;
  readonly sessions: SessionManager;
  readonly workers: WorkerManager;
}

/** The parts that a server needs to dial browsers and to have tunnels. Disposal closes all tunnels. */
export class Tunnels implements AsyncDisposable {
  readonly dialerFor: ReturnType<typeof createDialerFor>;
  readonly handlers: TunnelHandlers;
  readonly reachability: ReachabilityCache;
  readonly #tunnels: WorkerTunnels;

  constructor({ core, sessions, workers }: TunnelsContext) {
    const tunnels = new WorkerTunnels(core, workers);
    this.#tunnels = tunnels;
    this.reachability = new ReachabilityCache(core, sessions, workers);
    const context = { core, workers, tunnels, reachability: this.reachability };
    this.dialerFor = createDialerFor(context);
    this.handlers = createTunnelHandlers(context);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reachability[Symbol.asyncDispose]();
    await this.#tunnels[Symbol.asyncDispose]();
  }
}
