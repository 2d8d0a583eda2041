import type { HandoverManager } from "../apps/handover/manager.ts";
import type { SessionManager } from "../apps/sessions/manager.ts";
import type { Core } from "../core/app.ts";
import { ClientConnections } from "./client_connections.ts";
import { ConnectionLimiter } from "./connection_limiter.ts";
import type { DialerFor } from "./dialer.ts";
import { Holds } from "./holds.ts";
import { LIBRARY_PATH } from "./stream/native/join_library.ts";
import { OpenStreams } from "./stream/open_streams.ts";
import type { ConnectionMetrics } from "./connection_metrics.ts";
import { StreamThreads } from "./stream/thread/stream_threads.ts";

/** Dependencies of {@linkcode Clients}. */
export interface ClientsContext {
  readonly core: Core;
  readonly manager: SessionManager;
  readonly handovers: HandoverManager;
  readonly dialerFor: DialerFor;
  readonly metrics: ConnectionMetrics;
}

/** The parts that a server needs to serve clients. Disposal closes their streams and waits until their ends are recorded. */
export class Clients implements AsyncDisposable {
  readonly connections: ClientConnections;
  readonly #threads: StreamThreads;
  readonly #streams: AsyncDisposable;
  readonly #holds: Holds;

  constructor(
    { core, manager, handovers, dialerFor, metrics }: ClientsContext,
  ) {
    const streams = new OpenStreams(core, manager);
    this.#holds = new Holds({
      bus: core.bus,
      sessions: manager,
      handovers,
      onChange: (id, message) => streams.setHeld(id, message),
    });
    this.#threads = new StreamThreads({
      library: core.settings.native_join === "auto" ? LIBRARY_PATH : undefined,
    });
    this.connections = new ClientConnections({
      core,
      manager,
      streams,
      holds: this.#holds,
      metrics,
      threads: this.#threads,
      limiter: new ConnectionLimiter(core.clock),
      dialerFor,
    });
    this.#streams = streams.start();
  }

  /** Starts the thread of the streams, so that the first client of a session does not wait for it. */
  async startThread(): Promise<void> {
    await this.#threads.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holds[Symbol.dispose]();
    await this.#streams[Symbol.asyncDispose]();
    await this.connections.settled();
    await this.#threads[Symbol.asyncDispose]();
  }
}
