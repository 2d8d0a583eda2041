import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { SessionManager } from "../apps/sessions/manager.ts";
import type { Core } from "../core/app.ts";
import { ANONYMOUS, type Caller } from "../core/caller.ts";
import { deadline } from "../async/deadline.ts";
import type { UpgradeContext } from "../core/app.ts";
import { CLOSE_REASONS } from "./stream/close_frame.ts";
import { parseConnectQuery, parseKeepAlive } from "./connect.ts";
import { replayHandshake } from "./handshake.ts";
import { explainEnd } from "./stream/explain_end.ts";
import {
  appendHeaders,
  createSessionHeaders,
  findHeadEnd,
} from "./connect_url.ts";
import { supportsPings } from "./stream/ping.ts";
import { rejectUpgrade } from "../http/server/socket_route.ts";
import { checkTargetId } from "./devtools/target_id.ts";
import { shuttingDown } from "./reject.ts";
import {
  type ConnectionLimiter,
  EvictedError,
  tooManyConnections,
} from "./connection_limiter.ts";
import { Splice, type SpliceOptions } from "./stream/splice.ts";
import type { OpenStreams } from "./stream/open_streams.ts";
import { computeBrowserTimeoutMs, resolveTarget } from "./target.ts";
import {
  checkHandshake,
  parseTakeover,
  rejectPlaywright,
  type UpgradeTarget,
} from "./upgrade_request.ts";
import type { DialerFor } from "./dialer.ts";

/** One client that asked for an upgrade. */
export interface GatewayClient {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Uint8Array;
  readonly context: UpgradeContext;
  /** Aborted when it has gone. */
  readonly abandoned: AbortSignal;
}

/** What clients are joined with browsers by. */
export interface GatewayContext {
  readonly core: Core;
  readonly manager: SessionManager;
  readonly streams: OpenStreams;
  readonly limiter: ConnectionLimiter;
  readonly dialerFor: DialerFor;
}

/** The same for one caller. */
interface CallerContext extends GatewayContext {
  readonly caller: Caller;
}

/** Serves one client until it is gone, or refuses it. Never rejects. */
export async function serveClient(
  parts: GatewayContext,
  client: GatewayClient,
  target: UpgradeTarget,
  query: URLSearchParams,
): Promise<void> {
  const { core } = parts;
  try {
    if (core.stopping.aborted) throw shuttingDown();
    checkHandshake(core, client.request, client.context);
    rejectPlaywright(client.request);
    const caller = client.context.caller ?? ANONYMOUS;
    const own = { ...parts, caller };
    if (target.kind === "connect") {
      return await serveNewSession(own, client, query);
    }
    const takeover = parseTakeover(query);
    const { id, page } = target;
    const path = page && `/devtools/${page.kind}/${checkTargetId(page.id)}`;
    const { ended } = await connectClient(own, client, { id, path, takeover });
    await ended;
  } catch (error) {
    if (client.abandoned.aborted) return void client.socket.destroy();
    const problem = core.stopping.aborted
      ? shuttingDown()
      : error instanceof EvictedError
      ? error.problem
      : error;
    rejectUpgrade(client.socket, problem, client.context);
  }
}

/** Joins the client with a session of its own, which ends with it, or waits for it to come back. */
async function serveNewSession(
  parts: CallerContext,
  client: GatewayClient,
  query: URLSearchParams,
): Promise<void> {
  const { manager, caller } = parts;
  const keepAliveSeconds = parseKeepAlive(query);
  const { id } = await manager.create(parseConnectQuery(query), {
    ephemeral: true,
    keepAliveSeconds,
    caller,
  });
  const { ended, released } = await connectCreator(parts, client, id);
  await ended;
  if (keepAliveSeconds !== undefined) return;
  // It stays with whoever has taken the place over.
  await released;
  await manager.requestStop(id, {
    status: "completed",
    reason: "its client disconnected",
    // Nothing of its profile is kept: to ask the browser would only keep its place from whoever waits.
    kill: true,
  });
}

/** Joins the client with the session that was made for it. */
async function connectCreator(
  parts: CallerContext,
  client: GatewayClient,
  id: string,
): Promise<Connection> {
  const { manager, streams } = parts;
  using _seen = streams.markClientSeen(id);
  try {
    // Nobody who found it while it waited has its place.
    return await connectClient(parts, client, { id, takeover: true });
  } catch (error) {
    if (error instanceof EvictedError) {
      rejectUpgrade(client.socket, error.problem, client.context);
      return { ended: Promise.resolve(), released: error.released };
    }
    // Nobody will use it: a session that waits is never started, one that starts is stopped.
    await manager.requestStop(id, {
      status: "terminated",
      reason: "its client could not be connected, or has gone",
      kill: true,
    });
    throw error;
  }
}

/** With what a client is joined. */
interface ConnectionTarget {
  readonly id: string;
  readonly path?: string | undefined;
  /** Whether the oldest client makes room if all places are taken. */
  readonly takeover: boolean;
}

/** A client that is joined with a browser. Neither rejects. */
interface Connection {
  /** Resolves when they are no longer, and that is recorded. */
  readonly ended: Promise<void>;
  /** Resolves when whoever has taken the client's place over is gone, too. */
  readonly released: Promise<void>;
}

/** Joins the client with a session's browser. */
async function connectClient(
  { core, manager, streams, limiter, dialerFor, caller }: CallerContext,
  client: GatewayClient,
  { id, path, takeover }: ConnectionTarget,
): Promise<Connection> {
  using end = streams.watchForEnd(id);
  const signal = AbortSignal.any([client.abandoned, end.signal, core.stopping]);
  const find = () => resolveTarget({ core, manager, caller }, id, signal);
  const target = await find();
  const { maxConnections: max } = target;
  const slot = await limiter.acquire(id, { max: max, takeover, signal })
    .catch(async (full) => {
      // Maybe it has ended meanwhile.
      await find();
      throw full;
    });
  try {
    const { url, baseUrl } = client.context;
    const { keepAliveSeconds, expiresAt } = target;
    const headers = await createSessionHeaders(core, manager, {
      id,
      caller,
      url,
      baseUrl,
      // Whoever may come back must be let in as long as there is something to come back to.
      ...(keepAliveSeconds === null
        ? {}
        : { lifetimeMs: expiresAt - core.clock.now() }),
    });
    using _watch = manager.watch("end", id);
    const waitMs = computeBrowserTimeoutMs(core, target);
    using timeout = deadline(core.clock, waitMs, signal, slot.evicted);
    const dialer = dialerFor(target);
    const { socket: upstream, response } = await replayHandshake(
      dialer,
      client.request,
      { path, signal: timeout.signal },
    );
    const joined = spliceSockets(client, upstream, {
      answer: appendHeaders(response, headers),
      explain: (signal) => explainEnd({ manager, dialer, id, path }, signal),
    });
    void joined.ended.then(() => slot[Symbol.dispose]());
    onAbort(
      slot.evicted,
      () => joined.close(CLOSE_REASONS.takenOver),
    );
    return { ended: streams.add(target, joined), released: slot.released };
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

/** Splices both sides; `answer` goes to the client before all else. */
function spliceSockets(
  { socket, head, request }: GatewayClient,
  upstream: Duplex,
  { answer, explain }: Pick<SpliceOptions, "explain"> & {
    readonly answer: Uint8Array;
  },
): Splice {
  socket.write(answer);
  if (head.length > 0) upstream.write(head);
  const joined = new Splice(socket, upstream, {
    early: answer.subarray(findHeadEnd(answer)),
    pings: supportsPings(request),
    explain,
  });
  upstream.resume();
  socket.resume();
  return joined;
}

function onAbort(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener("abort", act, { once: true });
}
