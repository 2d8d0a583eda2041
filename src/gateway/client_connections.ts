import type { SessionManager } from "../apps/sessions/manager.ts";
import { deadline } from "../async/deadline.ts";
import type { Core } from "../core/app.ts";
import { ANONYMOUS, type Caller } from "../core/caller.ts";
import { createLogger, describeError } from "../core/log.ts";
import { rejectUpgrade, type Upgrade } from "../http/server/socket_route.ts";
import { ConnectSpan } from "./connect_span.ts";
import { parseConnectQuery, parseKeepAlive } from "./connect.ts";
import { createSessionHeaders } from "./connect_url.ts";
import {
  type ConnectionLimiter,
  EvictedError,
  type Slot,
  tooManyConnections,
} from "./connection_limiter.ts";
import { checkTargetId } from "./devtools/target_id.ts";
import type { DialerFor, RunningTarget } from "./dialer.ts";
import { replayHandshake } from "./handshake.ts";
import type { Holds } from "./holds.ts";
import { shuttingDown } from "./problems.ts";
import { spliceClient } from "./splice_client.ts";
import { CLOSE_REASONS } from "./stream/close_frame.ts";
import { explainEnd } from "./stream/explain_end.ts";
import { watchForEnd } from "./stream/watch_for_end.ts";
import type { OpenStreams } from "./stream/open_streams.ts";
import type { ConnectionMetrics } from "./connection_metrics.ts";
import type { StreamThreads } from "./stream/thread/stream_threads.ts";
import { computeBrowserTimeoutMs, resolveTarget } from "./target.ts";
import {
  checkHandshake,
  parseTakeover,
  rejectPlaywright,
  type UpgradeTarget,
} from "./upgrade_request.ts";

const log = createLogger("gateway", "clients");

/** Dependencies of {@linkcode ClientConnections}. */
export interface GatewayContext {
  readonly core: Core;
  readonly manager: SessionManager;
  readonly streams: OpenStreams;
  readonly holds: Holds;
  readonly metrics: ConnectionMetrics;
  readonly threads: StreamThreads;
  readonly limiter: ConnectionLimiter;
  readonly dialerFor: DialerFor;
}

/** A client that has requested an upgrade. */
export interface ConnectingClient extends Upgrade {
  /** Aborted when the client disconnects before it is connected. */
  readonly closed: AbortSignal;
}

interface Client extends ConnectingClient {
  readonly caller: Caller;
  readonly span: ConnectSpan;
}

/** The browser, or the target of a browser, that a client is connected to. */
interface ConnectionTarget {
  readonly id: string;
  /** Path at the browser; undefined connects to the whole browser. */
  readonly path?: string | undefined;
  /** Evicts the oldest client if the session has no free slot. */
  readonly takeover: boolean;
}

/** A client that is connected to a browser, or rejected. */
interface Served {
  /** Resolves when the connection has ended and its end is recorded. Never rejects. */
  readonly ended: Promise<void>;
}

/** A client that is connected to a browser. Neither promise rejects. */
interface Connection extends Served {
  /** Resolves when the client, and each client that has taken over its slot, has disconnected. */
  readonly released: Promise<void>;
}

/** Connects clients with the browsers of sessions and serves them until they disconnect. */
export class ClientConnections {
  readonly #context: GatewayContext;
  readonly #serving = new Set<Promise<void>>();

  constructor(context: GatewayContext) {
    this.#context = context;
  }

  /**
   * Connects one client, or rejects its upgrade, and serves it until it disconnects. Resolves once it is connected or
   * rejected, so that a connected client retains neither its request nor its socket's stream. Never rejects.
   */
  async serveClient(
    upgrade: ConnectingClient,
    target: UpgradeTarget,
  ): Promise<void> {
    const { caller = ANONYMOUS, trace } = upgrade.context;
    const span = new ConnectSpan(this.#context.core, trace);
    const opening = this.#open({ ...upgrade, caller, span }, target);
    const serving = opening.then(({ ended }) => ended)
      .finally(() => this.#serving.delete(serving));
    this.#serving.add(serving);
    await opening;
  }

  /** Resolves when all clients are served: their ends are recorded, and the sessions that end with them are stopped. */
  async settled(): Promise<void> {
    await Promise.all(this.#serving);
  }

  async #open(client: Client, target: UpgradeTarget): Promise<Served> {
    const { core } = this.#context;
    const { request, socket, context } = client;
    try {
      if (core.stopping.aborted) throw shuttingDown();
      checkHandshake(core, request, context);
      rejectPlaywright(request);
      if (target.kind === "connect") return await this.#openNewSession(client);
      const takeover = parseTakeover(context.url.searchParams);
      const { id, page } = target;
      const path = page && `/devtools/${page.kind}/${checkTargetId(page.id)}`;
      return await this.#connect(client, { id, path, takeover });
    } catch (error) {
      client.span.end(error);
      if (client.closed.aborted) socket.destroy();
      else {
        const problem = core.stopping.aborted
          ? shuttingDown()
          : error instanceof EvictedError
          ? error.problem
          : error;
        rejectUpgrade(socket, problem, context);
      }
      return { ended: Promise.resolve() };
    }
  }

  /** Creates a session for the client, which ends with the connection unless the client asks to keep it. */
  async #openNewSession(client: Client): Promise<Served> {
    const { manager } = this.#context;
    const query = client.context.url.searchParams;
    const keepAliveSeconds = parseKeepAlive(query);
    const session = await manager.create(parseConnectQuery(query), {
      ephemeral: true,
      keepAliveSeconds,
      caller: client.caller,
      trace: client.context.trace,
    });
    const { id } = session;
    client.span.setSession(session);
    const connection = await this.#connectCreator(client, id);
    return keepAliveSeconds === undefined
      ? { ended: this.#stopAfter(connection, id) }
      : connection;
  }

  /** Stops the session when its last client has disconnected. Never rejects. */
  async #stopAfter({ ended, released }: Connection, id: string): Promise<void> {
    await ended;
    // A client that has taken over the slot keeps the session.
    await released;
    await this.#context.manager.requestStop(id, {
      status: "completed",
      reason: "its client disconnected",
      // The browser saves no profile, and a graceful stop would only delay the next session.
      kill: true,
    }).catch((error: unknown) =>
      log.warn("Stop of the session failed: {error}", {
        session_id: id,
        error: describeError(error),
      })
    );
  }

  /** Connects the client to the session that was created for it. */
  async #connectCreator(client: Client, id: string): Promise<Connection> {
    const { manager, streams } = this.#context;
    using _seen = streams.markClientSeen(id);
    try {
      // Evicts a client that has connected to the session while it was pending.
      return await this.#connect(client, { id, takeover: true });
    } catch (error) {
      if (error instanceof EvictedError) {
        client.span.end(error.problem);
        rejectUpgrade(client.socket, error.problem, client.context);
        return { ended: Promise.resolve(), released: error.released };
      }
      // No client will use the session: if it is pending, it never starts.
      await manager.requestStop(id, {
        status: "terminated",
        reason: "its client could not be connected or has disconnected",
        kill: true,
      });
      throw error;
    }
  }

  /** Connects the client to the browser of a session, within the session's limit of connections. */
  async #connect(
    client: Client,
    { id, path, takeover }: ConnectionTarget,
  ): Promise<Connection> {
    const { core, manager, limiter } = this.#context;
    const { caller } = client;
    using end = watchForEnd(core.bus, id);
    const signal = AbortSignal.any([client.closed, end.signal, core.stopping]);
    const find = () => resolveTarget({ core, manager, caller }, id, signal);
    const target = await find();
    client.span.setSession(target);
    const { maxConnections: max } = target;
    const slot = await limiter.acquire(id, { max, takeover, signal })
      .catch(async (error: unknown) => {
        // If the session ended during the wait for the slot, the response names the end.
        await find();
        throw error;
      });
    try {
      return await this.#join(client, target, { path, slot, signal });
    } catch (error) {
      slot[Symbol.dispose]();
      if (slot.evicted.aborted) {
        throw new EvictedError(tooManyConnections(id, max), slot.released);
      }
      // If the session ended during the wait for its browser, the response names the end.
      if (end.signal.aborted) await find();
      throw error;
    }
  }

  /** Dials the browser, completes the handshake and joins both sockets. */
  async #join(
    client: Client,
    target: RunningTarget,
    { path, slot, signal }: {
      readonly path: string | undefined;
      readonly slot: Slot;
      readonly signal: AbortSignal;
    },
  ): Promise<Connection> {
    const { core, manager, streams, holds, metrics, threads, dialerFor } =
      this.#context;
    const { id, keepAliveSeconds, expiresAt } = target;
    const { request, context: { url, baseUrl }, caller } = client;
    const headers = await createSessionHeaders(core, manager, {
      id,
      caller,
      url,
      baseUrl,
      // A kept session accepts its client again until it expires.
      ...(keepAliveSeconds === null
        ? {}
        : { lifetimeMs: expiresAt - core.clock.now() }),
    });
    using _watch = manager.watch("end", id);
    const timeoutMs = computeBrowserTimeoutMs(core, target);
    using timeout = deadline(core.clock, timeoutMs, signal, slot.evicted);
    using stack = new DisposableStack();
    const hold = stack.use(holds.track(id, target.control === "human"));
    const dialer = await dialerFor(target);
    // Nothing may be waited for once the browser has responded.
    await Promise.all([threads.start(), hold.known]);
    const browser = await replayHandshake(dialer, request, {
      path,
      signal: timeout.signal,
    });
    const splice = spliceClient(client, browser, {
      headers,
      threads,
      hold: hold.message,
      explain: (signal) => explainEnd({ manager, dialer, id, path }, signal),
    });
    metrics.add(dialer.reach, splice);
    client.span.add({ "browsergrid.reach": dialer.reach });
    client.span.end();
    stack.move();
    void splice.ended.then(() => {
      slot[Symbol.dispose]();
      hold[Symbol.dispose]();
    });
    onAbort(slot.evicted, () => splice.close(CLOSE_REASONS.takenOver));
    return { ended: streams.add(target, splice), released: slot.released };
  }
}

function onAbort(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener("abort", act, { once: true });
}
