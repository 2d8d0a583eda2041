import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { sessions } from "../apps/sessions/app.ts";
import type { SessionManager } from "../apps/sessions/manager.ts";
import { type Core, defineApp } from "../core/app.ts";
import { ANONYMOUS, type Caller } from "../core/auth.ts";
import { requireRole } from "../core/access.ts";
import { GridError, toGridError } from "../core/errors.ts";
import { describeError, logOf } from "../core/log.ts";
import type { UpgradeContext } from "../core/upgrade_gate.ts";
import { sessionOfQuery } from "./connect.ts";
import { createRouter } from "../core/router.ts";
import { dial } from "./dial.ts";
import { discoveryRoutes } from "./discovery.ts";
import { refuse } from "./refuse.ts";
import { socketRoutes } from "./socket_routes.ts";
import { splice } from "./splice.ts";
import { Streams } from "./streams.ts";
import { targetOf } from "./target.ts";
import { directly } from "./way.ts";
import { admit, type Wanted, wantedOf } from "./upgrade.ts";

const log = logOf("gateway", "gateway");

/** One client that asked for an upgrade. */
interface Client {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Uint8Array;
  readonly context: UpgradeContext;
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
    const attended = new Set<Promise<void>>();
    return {
      manager: {},
      routes: {
        v1: createRouter()
          .route("/", discoveryRoutes(core, manager))
          .route("/", socketRoutes()),
      },
      tags: {
        Connect:
          "Joins clients with browsers: WebSockets, and how they are found",
      },
      ready() {
        const running = streams.start();
        return {
          async [Symbol.asyncDispose]() {
            await running[Symbol.asyncDispose]();
            // Each ends what it began: a session of its own, its record.
            await Promise.all(attended);
          },
        };
      },
      // It refuses workers itself, with a reason.
      upgradeRoles: ["client", "worker"],
      async upgrade(request, socket, head, context) {
        const { url } = context;
        const wanted = wantedOf(url.pathname);
        if (!wanted) return false;
        const gone = goneSignal(socket);
        const client = { request, socket, head, context, gone };
        const done = attend(
          { core, manager, streams },
          client,
          wanted,
          url.searchParams,
        );
        attended.add(done);
        await done;
        attended.delete(done);
        return true;
      },
    };
  },
});

interface Parts {
  readonly core: Core;
  readonly manager: SessionManager;
  readonly streams: Streams;
}

/** The same for one caller. */
interface OwnParts extends Parts {
  readonly caller: Caller;
}

/** Serves one client until it is gone, or refuses it. Never rejects. */
async function attend(
  parts: Parts,
  client: Client,
  wanted: Wanted,
  query: URLSearchParams,
): Promise<void> {
  const { core } = parts;
  try {
    if (core.stopping.aborted) throw shuttingDown();
    admit(core, client.request);
    const caller = client.context.caller ?? ANONYMOUS;
    requireRole(caller, ["client"]);
    const own = { ...parts, caller };
    if (wanted.kind === "connect") return await joinNew(own, client, query);
    const { parted } = await join(own, client, wanted);
    await parted;
  } catch (error) {
    const refusal = core.stopping.aborted ? shuttingDown() : refusalOf(error);
    if (client.gone.aborted) client.socket.destroy();
    else refuse(client.socket, refusal, client.context);
  }
}

/** Joins the client with a session of its own, which ends with it. */
async function joinNew(
  parts: OwnParts,
  client: Client,
  query: URLSearchParams,
): Promise<void> {
  const { manager, streams, caller } = parts;
  const { id } = await manager.create(sessionOfQuery(query), {
    ephemeral: true,
    caller,
  });
  using _attended = streams.attend(id);
  try {
    const { parted } = await join(parts, client, { id });
    await parted;
  } catch (error) {
    // Nobody will use it: a session that waits is never started, one that starts is stopped.
    await manager.requestStop(id, {
      status: "terminated",
      reason: "its client could not be connected, or has gone",
    });
    throw error;
  }
  await manager.requestStop(id, {
    status: "completed",
    reason: "its client disconnected",
  });
}

/** Joins the client with a session's browser. `parted` resolves when they are no longer. */
async function join(
  { core, manager, streams, caller }: OwnParts,
  { request, socket, head, gone }: Client,
  { id, path }: { readonly id: string; readonly path?: string | undefined },
): Promise<{ readonly parted: Promise<void> }> {
  using end = streams.endOf(id);
  const waiting = AbortSignal.any([gone, end.signal, core.stopping]);
  const target = await targetOf({ core, manager, caller }, id, waiting);
  const { socket: upstream, answer } = await dial(directly(target), request, {
    path,
    signal: waiting,
  });
  socket.write(answer);
  if (head.length > 0) upstream.write(head);
  const joined = splice(socket, upstream);
  upstream.resume();
  socket.resume();
  return { parted: streams.add(id, joined) };
}

/** Aborted when the socket is closed while nobody reads it. */
function goneSignal(socket: Duplex): AbortSignal {
  const gone = new AbortController();
  socket.once("close", () => gone.abort());
  // Without a reader an end is not noticed; what a client sends before the answer is against the protocol.
  socket.once("end", () => gone.abort());
  return gone.signal;
}

function shuttingDown(): GridError {
  return new GridError(
    "shutting_down",
    "Cannot connect: the server is stopping, expected one that runs; try again",
  );
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
