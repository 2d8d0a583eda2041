/**
 * Messages between a server and a worker over the worker's tunnel. The worker opens every connection.
 *
 * ```
 * worker                                                      server
 *    -- GET /v1/workerpool/workers/ID/tunnel ------------------>   control connection: a WebSocket with JSON messages
 *    <-------------------- open { stream_id, session_id } -----    a client connects to a session
 *    -- GET /v1/workerpool/workers/ID/tunnel/STREAM_ID -------->   101, then the browser's bytes, unchanged
 *    -- refused { stream_id, reason } ------------------------->   instead: the worker does not hold that session
 * ```
 *
 * A load balancer may route each connection to any server of the grid. A server forwards a stream to the server that
 * has requested it.
 *
 * A message of an unknown type is ignored.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";

/** Maximum length of a message, in bytes. */
export const MAX_MESSAGE_BYTES = 16 * 1_024;

/** Maximum length of the reason for a refused stream. */
export const MAX_REFUSAL_REASON = 1_000;

const streamIdSchema = z.string().regex(/^[0-9a-f]{32}$/);

/** Message of the server: it requests a stream to the browser of a session. */
export const openMessageSchema = z.object({
  type: z.literal("open"),
  /** A secret of this request. It identifies the connection that the worker opens for the stream. */
  stream_id: streamIdSchema,
  session_id: z.uuid(),
});

/** Message of the worker: it opens no connection for the stream. */
export const refusedMessageSchema = z.object({
  type: z.literal("refused"),
  stream_id: streamIdSchema,
  reason: z.string().max(MAX_REFUSAL_REASON),
});

export type OpenMessage = z.infer<typeof openMessageSchema>;
export type RefusedMessage = z.infer<typeof refusedMessageSchema>;

/** Parses a message of a WebSocket. Returns undefined if it does not match the schema. */
export function parseMessage<T>(
  schema: z.ZodType<T>,
  data: { toString(): string },
): T | undefined {
  try {
    return schema.safeParse(JSON.parse(data.toString())).data;
  } catch {
    return undefined;
  }
}

/** Returns the path of a worker's tunnel, or of one of its streams. */
export function renderTunnelPath(workerId: string, streamId?: string): string {
  const path = `/v1/workerpool/workers/${encodeURIComponent(workerId)}/tunnel`;
  return streamId === undefined ? path : `${path}/${streamId}`;
}
