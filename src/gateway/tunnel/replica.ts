import { once } from "node:events";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Duplex } from "node:stream";
import type { Core } from "../../core/app.ts";
import { GridError } from "../../core/errors.ts";
import { REPLICA_HEADER } from "../../http/auth/replica_token.ts";
import { renderTunnelPath } from "../../tunnel/protocol.ts";
import { type DialledStream, handoverPurpose } from "./handover.ts";
import { createHandshakeHeaders } from "./handshake.ts";

/** TCP keep-alive, which detects a dead host and connections that a network device has dropped. */
const KEEP_ALIVE = [true, 30_000] as const;

/** A stream through the tunnel of another server. */
export interface RemoteStream {
  /** URL of the server that has the worker's tunnel. */
  readonly url: string;
  readonly workerId: string;
  readonly sessionId: string;
}

/**
 * Opens a stream through a tunnel of another server. That server does not forward the request, so there are no loops.
 *
 * @throws {Error} The server does not respond, rejects the request, or `signal` is aborted.
 */
export async function openRemoteStream(
  { auth }: Pick<Core, "auth">,
  { url, workerId, sessionId }: RemoteStream,
  signal: AbortSignal,
): Promise<Duplex> {
  const { connectTokens } = auth;
  const query = new URLSearchParams({
    worker_id: workerId,
    token: await connectTokens.issue(sessionId),
  });
  const proof = await connectTokens.issue(
    renderPurpose({ workerId, sessionId }),
  );
  const address = new URL(
    `${url}/v1/sessions/${sessionId}/cdp/stream?${query}`,
  );
  return await requestByteStream(address, { proof, signal });
}

/**
 * Connects to the server at `url`, which waits for a stream that a worker has dialled back to this server. That server
 * does not forward the request.
 *
 * @throws {Error} As {@linkcode openRemoteStream}.
 */
export async function offerStream(
  { auth }: Pick<Core, "auth">,
  { url, ...stream }: DialledStream & { readonly url: string },
  signal: AbortSignal,
): Promise<Duplex> {
  const proof = await auth.connectTokens.issue(handoverPurpose(stream));
  const path = renderTunnelPath(stream.workerId, stream.streamId);
  return await requestByteStream(new URL(url + path), { proof, signal });
}

/**
 * Reports whether a request is another server's that forwards a stream. No round trip.
 *
 * @throws {GridError} `unauthorized` - the proof of the server is wrong.
 */
export async function isForwarded(
  { auth }: Pick<Core, "auth">,
  { headers }: IncomingMessage,
  stream: DialledStream,
): Promise<boolean> {
  const proof = headers[REPLICA_HEADER];
  if (proof === undefined) return false;
  const isReplica = typeof proof === "string" &&
    await auth.connectTokens.isValid(proof, handoverPurpose(stream));
  if (isReplica) return true;
  throw new GridError(
    "unauthorized",
    `Cannot accept the stream: the value of ${REPLICA_HEADER} is not a proof of a server of the grid, expected no such header from workers`,
  );
}

/** Requests a byte stream from another server. Bytes that follow its response are read first from the stream, which is paused. */
async function requestByteStream(
  address: URL,
  { proof, signal }: { readonly proof: string; readonly signal: AbortSignal },
): Promise<Duplex> {
  signal.throwIfAborted();
  const request = address.protocol === "https:" ? requestHttps : requestHttp;
  const outgoing = request(address, {
    headers: { ...createHandshakeHeaders(), [REPLICA_HEADER]: proof },
  });
  // An error after the first one, which `once` reports, would be unhandled and end the process.
  outgoing.on("error", () => {});
  const onAbort = () => outgoing.destroy(new Error("no response in time"));
  signal.addEventListener("abort", onAbort);
  try {
    outgoing.on(
      "response",
      ({ statusCode }: IncomingMessage) =>
        outgoing.destroy(new Error(`the server responds with ${statusCode}`)),
    );
    outgoing.end();
    const [, socket, head] = await once(outgoing, "upgrade");
    if (head.length > 0) socket.unshift(head);
    socket.setNoDelay();
    socket.setKeepAlive(...KEEP_ALIVE);
    return socket;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * Returns the worker whose tunnel another server requests a stream through. No round trip: the other server has read
 * which worker holds the session.
 *
 * @throws {GridError} `unauthorized` - the request has no proof of a server of the grid.
 */
export async function verifyReplica(
  { auth }: Pick<Core, "auth">,
  { sessionId, request, query }: {
    readonly sessionId: string;
    readonly request: IncomingMessage;
    readonly query: URLSearchParams;
  },
): Promise<string> {
  const workerId = query.get("worker_id") ?? "";
  const proof = request.headers[REPLICA_HEADER];
  const purpose = renderPurpose({ workerId, sessionId });
  const isReplica = typeof proof === "string" &&
    await auth.connectTokens.isValid(proof, purpose);
  if (isReplica) return workerId;
  throw new GridError(
    "unauthorized",
    "Cannot open a stream: the request has no proof of a server of the grid, expected clients to use /v1/sessions/ID/cdp",
  );
}

/** Renders the purpose of a server's proof. It is not an id of a session, so a client's connect token is no proof. */
function renderPurpose(
  { workerId, sessionId }: Pick<RemoteStream, "workerId" | "sessionId">,
): string {
  return `replica ${workerId} ${sessionId}`;
}
