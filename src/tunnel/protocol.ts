/**
 * How a server and a worker talk over the worker's tunnel: the worker opens every connection.
 *
 * ```
 * worker                                                      server
 *    ── GET /v1/workerpool/workers/ID/tunnel ──────────────────▶   a WebSocket with JSON, which stays open
 *    ◀──────────────────── open { stream_id, session_id } ─────    a client has come for a session
 *    ── GET /v1/workerpool/workers/ID/tunnel/STREAM_ID ────────▶   101, then the browser's bytes as they are
 *    ── refused { stream_id, reason } ─────────────────────────▶   in its place: it does not hold that session
 * ```
 *
 * What the worker opens may come to any server of the grid: one hands on a stream that another waits for.
 *
 * A message of a type that the other side does not know is passed over.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";

/** Longest message, in bytes. */
export const MAX_MESSAGE_BYTES = 16 * 1_024;

const streamIdSchema = z.string().regex(/^[0-9a-f]{32}$/);

/** What the server says: a client has come for a session. */
export const openMessageSchema = z.object({
  type: z.literal("open"),
  /** Known to nobody else: it proves that a connection is the answer. */
  stream_id: streamIdSchema,
  session_id: z.uuid(),
});

/** What the worker says when it does not dial back. */
export const refusedMessageSchema = z.object({
  type: z.literal("refused"),
  stream_id: streamIdSchema,
  reason: z.string().max(1_000),
});

export type OpenMessage = z.infer<typeof openMessageSchema>;
export type RefusedMessage = z.infer<typeof refusedMessageSchema>;

/** The message that a WebSocket has brought; undefined: it is none of these. */
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

/** Path of a worker's tunnel, or of one stream of it. */
export function renderTunnelPath(workerId: string, streamId?: string): string {
  const path = `/v1/workerpool/workers/${encodeURIComponent(workerId)}/tunnel`;
  return streamId === undefined ? path : `${path}/${streamId}`;
}
