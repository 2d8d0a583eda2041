import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { sessions } from "../apps/sessions/app.ts";
import type { SessionManager } from "../apps/sessions/manager.ts";
import { type Core, defineApp } from "../core/app.ts";
import { toGridError } from "../core/errors.ts";
import { describeError, logOf } from "../core/log.ts";
import { sessionOfQuery } from "./connect.ts";
import { dial } from "./dial.ts";
import { discoveryRoutes } from "./discovery.ts";
import { refuse } from "./refuse.ts";
import { splice } from "./splice.ts";
import { Streams } from "./streams.ts";
import { endpointOf } from "./target.ts";
import { admit, type Wanted, wantedOf } from "./upgrade.ts";

const log = logOf("gateway", "gateway");

/** One client that asked for an upgrade. */
interface Client {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Uint8Array;
  /** Aborted when it has gone. */
  readonly gone: AbortSignal;
}

/** The gateway: joins clients' sockets with browsers'. */
export const gateway = defineApp({
  name: "gateway",
  verboseName: "Gateway",
  setup(core) {
    const manager = core.use(sessions);
    const streams = new Streams(core, manager);
    return {
      manager: {},
      routes: { v1: discoveryRoutes(core, manager) },
      ready: () => streams.start(),
      async upgrade(request, socket, head) {
        const url = URL.parse(request.url ?? "", "http://grid");
        const wanted = url && wantedOf(url.pathname);
        if (!wanted) return false;
        const client = { request, socket, head, gone: goneSignal(socket) };
        try {
          await admit(core, request, url.searchParams);
          await serve(core, manager, streams, client, wanted, url.searchParams);
        } catch (error) {
          if (client.gone.aborted) socket.destroy();
          else refuse(socket, refusalOf(error));
        }
        return true;
      },
    };
  },
});

async function serve(
  core: Core,
  manager: SessionManager,
  streams: Streams,
  client: Client,
  wanted: Wanted,
  query: URLSearchParams,
): Promise<void> {
  const waiting = AbortSignal.any([client.gone, core.stopping]);
  if (wanted.kind === "session") {
    const endpoint = await endpointOf(manager, wanted.id, waiting);
    if (wanted.path) endpoint.pathname = wanted.path;
    return await join(streams, wanted.id, endpoint, client);
  }
  const input = sessionOfQuery(query);
  const { id } = await manager.create(input, { ephemeral: true });
  try {
    const endpoint = await endpointOf(manager, id, waiting);
    client.gone.throwIfAborted();
    await join(streams, id, endpoint, client);
    await manager.requestStop(id, {
      status: "completed",
      reason: "its client disconnected",
    });
  } catch (error) {
    // Nobody will use it: a session that waits is never started, one that starts is stopped.
    await manager.requestStop(id, {
      status: "terminated",
      reason: "its client could not be connected, or has gone",
    });
    throw error;
  }
}

/** Joins the client with the browser. Resolves when they are parted. */
async function join(
  streams: Streams,
  sessionId: string,
  endpoint: URL,
  { request, socket, head }: Client,
): Promise<void> {
  const { socket: upstream, answer } = await dial(endpoint, request);
  socket.write(answer);
  if (head.length > 0) upstream.write(head);
  const joined = splice(socket, upstream);
  upstream.resume();
  socket.resume();
  await streams.add(sessionId, joined);
}

/** Aborted when the socket is closed while nobody reads it. */
function goneSignal(socket: Duplex): AbortSignal {
  const gone = new AbortController();
  socket.once("close", () => gone.abort());
  // Without a reader an end is not noticed; what a client sends before the answer is against the protocol.
  socket.once("end", () => gone.abort());
  return gone.signal;
}

function refusalOf(error: unknown) {
  const refusal = toGridError(error);
  if (refusal.code === "internal") {
    log.error("Cannot connect a client: {error}", {
      error: describeError(error),
    });
  }
  return refusal;
}
