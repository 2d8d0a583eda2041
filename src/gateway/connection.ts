import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { SessionManager } from "../apps/sessions/manager.ts";
import { requireRole } from "../http/auth/access.ts";
import type { Core } from "../core/app.ts";
import { ANONYMOUS, type Caller } from "../core/caller.ts";
import { deadline } from "../async/deadline.ts";
import type { UpgradeContext } from "../core/app.ts";
import { CLOSE_REASONS } from "./stream/close_frame.ts";
import { parseConnectQuery, parseKeepAlive } from "./connect.ts";
import { dial } from "./handshake.ts";
import { explainEnd } from "./stream/explain_end.ts";
import { addressHeaders, headLength, withHeaders } from "./connect_url.ts";
import { takesPings } from "./stream/ping.ts";
import { refuse, shuttingDown } from "./reject.ts";
import { type Seats, TakenOver, tooMany } from "./connection_limiter.ts";
import { Splice, type SpliceOptions } from "./stream/splice.ts";
import type { Streams } from "./stream/open_streams.ts";
import { browserWaitMs, targetOf } from "./target.ts";
import {
  admit,
  refusePlaywright,
  takeoverOf,
  type Wanted,
} from "./upgrade_request.ts";
import type { WayTo } from "./dialer.ts";

/** One client that asked for an upgrade. */
export interface Client {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Uint8Array;
  readonly context: UpgradeContext;
  /** Aborted when it has gone. */
  readonly gone: AbortSignal;
}

/** What clients are joined with browsers by. */
export interface Parts {
  readonly core: Core;
  readonly manager: SessionManager;
  readonly streams: Streams;
  readonly seats: Seats;
  readonly wayTo: WayTo;
}

/** The same for one caller. */
interface OwnParts extends Parts {
  readonly caller: Caller;
}

/** Serves one client until it is gone, or refuses it. Never rejects. */
export async function attend(
  parts: Parts,
  client: Client,
  wanted: Wanted,
  query: URLSearchParams,
): Promise<void> {
  const { core } = parts;
  try {
    if (core.stopping.aborted) throw shuttingDown();
    admit(core, client.request, client.context);
    refusePlaywright(client.request);
    const caller = client.context.caller ?? ANONYMOUS;
    requireRole(caller, ["client"]);
    const own = { ...parts, caller };
    if (wanted.kind === "connect") return await joinNew(own, client, query);
    const takeover = takeoverOf(query);
    const { parted } = await join(own, client, { ...wanted, takeover });
    await parted;
  } catch (error) {
    if (client.gone.aborted) return void client.socket.destroy();
    const refusal = core.stopping.aborted
      ? shuttingDown()
      : error instanceof TakenOver
      ? error.refusal
      : error;
    refuse(client.socket, refusal, client.context);
  }
}

/** Joins the client with a session of its own, which ends with it, or waits for it to come back. */
async function joinNew(
  parts: OwnParts,
  client: Client,
  query: URLSearchParams,
): Promise<void> {
  const { manager, caller } = parts;
  const keepAliveSeconds = parseKeepAlive(query);
  const { id } = await manager.create(parseConnectQuery(query), {
    ephemeral: true,
    keepAliveSeconds,
    caller,
  });
  const { parted, left } = await joinFirst(parts, client, id);
  await parted;
  if (keepAliveSeconds !== undefined) return;
  // It stays with whoever has taken the place over.
  await left;
  await manager.requestStop(id, {
    status: "completed",
    reason: "its client disconnected",
    // Nothing of its profile is kept: to ask the browser would only keep its place from whoever waits.
    kill: true,
  });
}

/** Joins the client with the session that was made for it. */
async function joinFirst(
  parts: OwnParts,
  client: Client,
  id: string,
): Promise<Joined> {
  const { manager, streams } = parts;
  using _attended = streams.attend(id);
  try {
    // Nobody who found it while it waited has its place.
    return await join(parts, client, { id, takeover: true });
  } catch (error) {
    if (error instanceof TakenOver) {
      refuse(client.socket, error.refusal, client.context);
      return { parted: Promise.resolve(), left: error.left };
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
interface JoinTarget {
  readonly id: string;
  readonly path?: string | undefined;
  /** Whether the oldest client makes room if all places are taken. */
  readonly takeover: boolean;
}

/** A client that is joined with a browser. Neither rejects. */
interface Joined {
  /** Resolves when they are no longer, and that is recorded. */
  readonly parted: Promise<void>;
  /** Resolves when whoever has taken the client's place over is gone, too. */
  readonly left: Promise<void>;
}

/** Joins the client with a session's browser. */
async function join(
  { core, manager, streams, seats, wayTo, caller }: OwnParts,
  client: Client,
  { id, path, takeover }: JoinTarget,
): Promise<Joined> {
  using end = streams.endOf(id);
  const signal = AbortSignal.any([client.gone, end.signal, core.stopping]);
  const find = () => targetOf({ core, manager, caller }, id, signal);
  const target = await find();
  const { maxConnections: most } = target;
  const seat = await seats.take(id, { most, takeover, signal })
    .catch(async (full) => {
      // Maybe it has ended meanwhile.
      await find();
      throw full;
    });
  try {
    const { url, baseUrl } = client.context;
    const { keepAliveSeconds, expiresAt } = target;
    const headers = await addressHeaders(core, manager, {
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
    const waitMs = browserWaitMs(core, target);
    using patience = deadline(core.clock, waitMs, signal, seat.lost);
    const way = wayTo(target);
    const { socket: upstream, answer } = await dial(
      way,
      client.request,
      { path, signal: patience.signal },
    );
    const joined = spliced(client, upstream, {
      answer: withHeaders(answer, headers),
      explain: (signal) => explainEnd({ manager, way, id, path }, signal),
    });
    void joined.ended.then(() => seat[Symbol.dispose]());
    onAbort(
      seat.lost,
      () => joined.close(CLOSE_REASONS.takenOver),
    );
    return { parted: streams.add(target, joined), left: seat.left };
  } catch (error) {
    seat[Symbol.dispose]();
    if (seat.lost.aborted) throw new TakenOver(tooMany(id, most), seat.left);
    // If the session ended during the wait for its browser, the response names the end.
    if (end.signal.aborted) await find();
    throw error;
  }
}

/** Splices both sides; `answer` goes to the client before all else. */
function spliced(
  { socket, head, request }: Client,
  upstream: Duplex,
  { answer, explain }: Pick<SpliceOptions, "explain"> & {
    readonly answer: Uint8Array;
  },
): Splice {
  socket.write(answer);
  if (head.length > 0) upstream.write(head);
  const joined = new Splice(socket, upstream, {
    early: answer.subarray(headLength(answer)),
    pings: takesPings(request),
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

/** Aborted when the socket is closed while nobody reads it. */
export function goneSignal(socket: Duplex): AbortSignal {
  const gone = new AbortController();
  socket.once("close", () => gone.abort());
  // Without a reader an end is not noticed; what a client sends before the answer is against the protocol.
  socket.once("end", () => gone.abort());
  return gone.signal;
}
