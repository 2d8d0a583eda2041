/**
 * How a server proves to another one of its grid that it is one, in a header: by a token for what it asks for, made with
 * the secret that they share.
 *
 * @module
 */
import type { ConnectTokens } from "../../core/caller.ts";

/** Header in which a server proves to another that it is one. */
export const REPLICA_HEADER = "x-browsergrid-replica";

/** A stream that a worker has dialled back. */
export interface DialledStream {
  readonly workerId: string;
  readonly streamId: string;
}

/** The proof of the server to which the worker has come, for the one that waits for the stream. */
export function handoverProof(
  tokens: ConnectTokens,
  stream: DialledStream,
): Promise<string> {
  return tokens.issue(purposeOf(stream));
}

/** Whether `proof` is another server's, for this stream and no other. */
export function isHandover(
  tokens: ConnectTokens,
  proof: string,
  stream: DialledStream,
): Promise<boolean> {
  return tokens.isValid(proof, purposeOf(stream));
}

/** No session has such an id: a client's token proves nothing here. */
function purposeOf({ workerId, streamId }: DialledStream): string {
  return `handover ${workerId} ${streamId}`;
}
