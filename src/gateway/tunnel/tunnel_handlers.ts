import type { IncomingMessage } from "node:http";
import type { WorkerManager } from "../../apps/workers/manager.ts";
import type { Core } from "../../core/app.ts";
import { ANONYMOUS, type Caller } from "../../core/caller.ts";
import { deadline } from "../../async/deadline.ts";
import { GridError } from "../../core/errors.ts";
import { createLogger, describeError } from "../../core/log.ts";
import {
  readWorkerCaller,
  type WorkerCaller,
  workerProofSchema,
} from "../../http/auth/worker_caller.ts";
import { INSTANCE_HEADER, SECRET_HEADER } from "../../core/worker_proof.ts";
import { abortOnClose } from "../abort_on_close.ts";
import {
  rejectUpgrade,
  type ServeSocket,
  type Upgrade,
} from "../../http/server/socket_route.ts";
import { checkHandshake } from "../upgrade_request.ts";
import { browserUnreachable } from "../dialer.ts";
import { acceptByteStream } from "./handshake.ts";
import { joinStreams } from "../../async/join_streams.ts";
import type { DialledStream } from "./handover.ts";
import { isForwarded, offerStream, verifyReplica } from "./replica.ts";
import { RECONNECT_MS, type WorkerTunnels } from "./worker_tunnels.ts";

const log = createLogger("gateway", "tunnel");

/** Dependencies of the tunnels' sockets. */
export interface TunnelContext {
  readonly core: Core;
  readonly workers: WorkerManager;
  readonly tunnels: WorkerTunnels;
}

/** Handlers of the tunnels' sockets. */
export interface TunnelHandlers {
  /** Accepts a worker's tunnel. */
  readonly tunnel: ServeSocket;
  /** Accepts a stream that a worker has dialled back. */
  readonly stream: ServeSocket;
  /** Opens a stream for another server. */
  readonly remoteStream: ServeSocket;
}

/** Creates the handlers of the tunnels' sockets. */
export function createTunnelHandlers(context: TunnelContext): TunnelHandlers {
  const handle = (serve: typeof acceptTunnel): ServeSocket =>
    async function handleUpgrade(upgrade) {
      try {
        checkHandshake(context.core, upgrade.request, upgrade.context);
        await serve(context, upgrade);
      } catch (error) {
        rejectUpgrade(upgrade.socket, error, upgrade.context);
      }
    };
  return {
    tunnel: handle(acceptTunnel),
    stream: handle(acceptStream),
    remoteStream: handle(serveRemoteStream),
  };
}

/** Accepts a worker's tunnel. */
async function acceptTunnel(
  { core, tunnels }: TunnelContext,
  { request, socket, head, context, params }: Upgrade,
): Promise<void> {
  const { caller = ANONYMOUS } = context;
  const { worker_id: workerId = "" } = params;
  if (core.stopping.aborted) throw shuttingDown();
  const proven = await readProof(request, caller);
  await tunnels.accept({ workerId, caller: proven, request, socket, head });
}

/**
 * Accepts a stream that a worker has dialled back. The id of the stream, which only that worker has received, proves that
 * it answers the request.
 *
 * A load balancer may send the stream to another server than the worker's tunnel. That server forwards it:
 *
 * ```
 * client -- server A <-- tunnel -- worker
 *              ^                      | dials back
 *              +---- server B <-------+
 * ```
 */
async function acceptStream(
  tunnelContext: TunnelContext,
  upgrade: Upgrade,
): Promise<void> {
  const { request, socket, head, context, params } = upgrade;
  const { core, tunnels } = tunnelContext;
  const { caller = ANONYMOUS } = context;
  const { worker_id: workerId = "", stream_id: streamId = "" } = params;
  const stream = { workerId, streamId };
  // The server that forwards the stream has verified the worker.
  const proven = await isForwarded(core, request, stream)
    ? undefined
    : await readProof(request, caller);
  const resolve = tunnels.takePending(workerId, streamId, proven);
  if (resolve) {
    acceptByteStream(request, socket, head);
    return resolve(socket);
  }
  if (!proven) throw streamNotPending();
  await forwardStream(tunnelContext, upgrade, { ...stream, caller: proven });
}

/** Forwards a stream to the server that has the worker's tunnel. One round trip. */
async function forwardStream(
  { core, workers }: TunnelContext,
  { request, socket, head }: Upgrade,
  { caller, ...stream }: DialledStream & { readonly caller: WorkerCaller },
): Promise<void> {
  const closed = abortOnClose(socket);
  const { workerId } = stream;
  const { tunnelUrl: url } = await workers.requireProven(workerId, caller);
  if (url === null || url === core.replicaUrl()) throw streamNotPending();
  const signal = AbortSignal.any([closed, core.stopping]);
  using timeout = deadline(core.clock, RECONNECT_MS, signal);
  const holder = await offerStream(core, { ...stream, url }, timeout.signal)
    .catch((cause: unknown) => {
      log.warn("Stream forwarding to {url} failed: {error}", {
        url,
        worker_id: stream.workerId,
        error: describeError(cause),
      });
      throw streamNotPending(cause);
    });
  if (socket.destroyed) return void holder.destroy();
  acceptByteStream(request, socket, head);
  joinStreams(socket, holder);
}

/** Serves a stream of a tunnel of this server to another server, where the client is connected. */
async function serveRemoteStream(
  { core, tunnels }: TunnelContext,
  { request, socket, head, context, params }: Upgrade,
): Promise<void> {
  const { id: sessionId = "" } = params;
  const workerId = await verifyReplica(core, {
    sessionId,
    request,
    query: context.url.searchParams,
  });
  const closed = abortOnClose(socket);
  const signal = AbortSignal.any([closed, core.stopping]);
  const stream = await tunnels.openStream({ workerId, sessionId }, signal)
    .catch((error: unknown) => {
      throw browserUnreachable(error);
    });
  if (socket.destroyed) return void stream.destroy();
  acceptByteStream(request, socket, head);
  joinStreams(socket, stream);
}

/** Reads the proof of a worker. @throws {GridError} `unauthorized` - there is none. A wrong proof is rejected later. */
async function readProof(
  { headers }: IncomingMessage,
  caller: Caller,
): Promise<WorkerCaller> {
  const proof = workerProofSchema.safeParse(headers);
  if (proof.success) return await readWorkerCaller(proof.data, caller);
  throw new GridError(
    "unauthorized",
    `Cannot open the tunnel: ${SECRET_HEADER} or ${INSTANCE_HEADER} is missing, expected the values that the worker registered with`,
  );
}

function shuttingDown(): GridError {
  return new GridError(
    "shutting_down",
    "Cannot open the tunnel: the server is stopping, expected a running server; try again",
  );
}

function streamNotPending(cause?: unknown): GridError {
  return new GridError(
    "not_found",
    "Cannot accept the stream: none with this id is pending for this worker, expected the stream_id of an open message, once and within seconds",
    {},
    { cause },
  );
}
