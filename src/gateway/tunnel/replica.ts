import { once } from "node:events";
import { type IncomingMessage, request as askHttp } from "node:http";
import { request as askHttps } from "node:https";
import type { Duplex } from "node:stream";
import type { Core } from "../../core/app.ts";
import { GridError } from "../../core/errors.ts";
import { handshakeHeaders } from "./handshake.ts";

/** Header in which a server proves to another that it is one. */
const REPLICA_HEADER = "x-browsergrid-replica";

/** A stream that another server is asked for. */
export interface Loan {
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
export async function borrow(
  { auth }: Pick<Core, "auth">,
  { url, workerId, sessionId }: Loan,
  signal: AbortSignal,
): Promise<Duplex> {
  const { connectTokens } = auth;
  const query = new URLSearchParams({
    worker_id: workerId,
    token: await connectTokens.issue(sessionId),
  });
  const proof = await connectTokens.issue(purposeOf({ workerId, sessionId }));
  const address = new URL(
    `${url}/v1/sessions/${sessionId}/cdp/stream?${query}`,
  );
  const ask = address.protocol === "https:" ? askHttps : askHttp;
  const asked = ask(address, {
    headers: { ...handshakeHeaders(), [REPLICA_HEADER]: proof },
  });
  const giveUp = () => asked.destroy(new Error("no answer in time"));
  signal.addEventListener("abort", giveUp);
  try {
    signal.throwIfAborted();
    asked.on(
      "response",
      (answer: IncomingMessage) =>
        asked.destroy(new Error(`the server answers ${answer.statusCode}`)),
    );
    asked.end();
    const [, socket, head] = await once(asked, "upgrade");
    if (head.length > 0) socket.unshift(head);
    socket.setNoDelay();
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
export async function checkReplica(
  { auth }: Pick<Core, "auth">,
  { sessionId, request, query }: {
    readonly sessionId: string;
    readonly request: IncomingMessage;
    readonly query: URLSearchParams;
  },
): Promise<string> {
  const workerId = query.get("worker_id") ?? "";
  const proof = request.headers[REPLICA_HEADER];
  const purpose = purposeOf({ workerId, sessionId });
  const isReplica = typeof proof === "string" &&
    await auth.connectTokens.isValid(proof, purpose);
  if (isReplica) return workerId;
  throw new GridError(
    "unauthorized",
    "Cannot open a stream: it is none of the grid's servers that asks, expected /v1/sessions/ID/cdp of clients",
  );
}

/** What a server's proof is for. No session has such an id: a client's token proves nothing here. */
function purposeOf(
  { workerId, sessionId }: Pick<Loan, "workerId" | "sessionId">,
): string {
  return `replica ${workerId} ${sessionId}`;
}
