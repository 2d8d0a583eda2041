import { z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { GridError } from "../core/errors.ts";
import { defineMiddleware, type GridEnv } from "../core/middleware.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Refuses bodies that are larger than any honest request.
 *
 * One that tells its length is refused unread; one that does not is counted while the route reads it. Hono's own
 * middleware would read it whole before anybody has asked for the key.
 */
export const bodyLimit = defineMiddleware({
  name: "body_limit",
  optionsSchema: z.strictObject({
    max_bytes: z.int().min(1_024).default(2 * 2 ** 20).describe(
      "Largest body that is read",
    ),
  }),
  create({ max_bytes }): MiddlewareHandler<GridEnv> {
    const tooLarge = () =>
      new GridError(
        "body_too_large",
        `Cannot read the body: it is too large, expected at most ${max_bytes} bytes`,
      );
    return async function limitBody(c, next) {
      const length = parseLength(c.req.raw.headers);
      if (length > max_bytes) throw tooLarge();
      const { body } = c.req.raw.method === "GET" || !Number.isNaN(length)
        ? { body: null }
        : c.req.raw;
      if (!body) return await next();
      const counted = countBytes(body, max_bytes);
      c.req.raw = new Request(c.req.raw, { body: counted.body });
      await next();
      // The route has seen no more than a body that cannot be read.
      if (counted.isOver()) throw tooLarge();
    };
  },
});

/** NaN: not told, or a transfer coding says otherwise. */
function parseLength(headers: Headers): number {
  const text = headers.has("transfer-encoding")
    ? null
    : headers.get("content-length");
  return text === null ? NaN : Number(text);
}

/** The same bytes, up to `maxBytes`: then it fails. */
function countBytes(body: ReadableStream<Bytes>, maxBytes: number) {
  let bytes = 0;
  const counting = new TransformStream<Bytes, Bytes>({
    transform(chunk, controller) {
      bytes += chunk.length;
      if (bytes > maxBytes) controller.error(new Error("Body is too large"));
      else controller.enqueue(chunk);
    },
  });
  // The server reads the rest away: cancelled, it would cost the connection.
  const counted = body.pipeThrough(counting, { preventCancel: true });
  return { body: counted, isOver: () => bytes > maxBytes };
}
