import { once } from "node:events";
import { type IncomingMessage, request as askHttp } from "node:http";
import { request as askHttps } from "node:https";
import type { Duplex } from "node:stream";
import type { Core } from "../../core/app.ts";
import { GridError } from "../../core/errors.ts";
import { REPLICA_HEADER } from "../../http/auth/replica_token.ts";
import { renderTunnelPath } from "../../tunnel/protocol.ts";
import { createHandshakeHeaders } from "./handshake.ts";

/** A dead server's host, or a path to it that was forgotten on the way, is noticed after this time. */
const KEEP_ALIVE = [true, 30_000] as const;

/** A stream that a worker has dialled back. */
export interface DialledStream {
  readonly workerId: string;
  readonly streamId: string;
}

/** Returns the purpose of the proof of a server that forwards a stream to the one that waits for it. */
export function handoverPurpose({ workerId, streamId }: DialledStream): string {
  return `handover ${workerId} ${streamId}`;
}

/** A stream that another server is asked for. */
export interface RemoteStream {
  /** Where the server is reached that has the worker's tunnel. */
  readonly url: string;
  readonly workerId: string;
  readonly sessionId: string;
}

/**
 * Opens a stream through a tunnel that leads to another server. It never asks a third one: there are no circles.
 *
 * @throws {Error} When it does not answer, or refuses, or `signal` is aborted.
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
 * Hands the stream that a worker has dialled back to this server on to the one at `url`, which waits for it. That one
 * asks no third.
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
 * Whether it is another server that hands a stream on. No round trip.
 *
 * @throws {GridError} `unauthorized` — it says so, and is none of the grid's servers.
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
    `Cannot take the stream: it is none of the grid's servers that hands it on, expected no ${REPLICA_HEADER} of workers`,
  );
}

/** Asks another server for a stream of bytes, paused. What has come with its answer is read first. */
async function requestByteStream(
  address: URL,
  { proof, signal }: { readonly proof: string; readonly signal: AbortSignal },
): Promise<Duplex> {
  signal.throwIfAborted();
  const ask = address.protocol === "https:" ? askHttps : askHttp;
  const asked = ask(address, {
    headers: { ...createHandshakeHeaders(), [REPLICA_HEADER]: proof },
  });
  // What is said after the first word of a failure must not end the process.
  asked.on("error", () => {});
  const giveUp = () => asked.destroy(new Error("no answer in time"));
  signal.addEventListener("abort", giveUp);
  try {
    asked.on(
      "response",
      (answer: IncomingMessage) =>
        asked.destroy(new Error(`the server answers ${answer.statusCode}`)),
    );
    asked.end();
    const [, socket, head] = await once(asked, "upgrade");
    if (head.length > 0) socket.unshift(head);
    socket.setNoDelay();
    socket.setKeepAlive(...KEEP_ALIVE);
    return socket;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

/**
 * The worker through whose tunnel another server asks for a stream. No round trip: the other server has looked.
 *
 * @throws {GridError} `unauthorized` — it is none of the grid's servers that asks.
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
    "Cannot open a stream: it is none of the grid's servers that asks, expected /v1/sessions/ID/cdp of clients",
  );
}

/** What a server's proof is for. No session has such an id: a client's token proves nothing here. */
function renderPurpose(
  { workerId, sessionId }: Pick<RemoteStream, "workerId" | "sessionId">,
): string {
  return `replica ${workerId} ${sessionId}`;
}
