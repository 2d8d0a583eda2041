import { z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { GridError } from "../core/errors.ts";
import { defineMiddleware, type GridEnv } from "../core/middleware.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Rejects bodies over a maximum size.
 *
 * A body with a length is rejected unread; one without is counted while the route reads it. Hono's middleware would read
 * it completely before the key is checked.
 */
export const bodyLimit = defineMiddleware({
  name: "body_limit",
  optionsSchema: z.strictObject({
    max_bytes: z.int().min(1_024).default(2 * 2 ** 20).describe(
      "Maximum size of a body in bytes",
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
      const { body } = mayHaveUncounted(c, length) ? c.req.raw : { body: null };
      if (!body) return await next();
      const counted = countBytes(body, max_bytes);
      c.req.raw = new Request(c.req.raw, { body: counted.body });
      await next();
      // The route only saw a body that could not be read.
      if (counted.isOver()) throw tooLarge();
    };
  },
});

/**
 * Reports whether a request may have a body of unknown length. In HTTP/1 only a transfer coding allows one; to ask for
 * the body would create its stream.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-6.3 RFC 9112, 6.3}
 */
function mayHaveUncounted(
  { req, env }: Context<GridEnv>,
  length: number,
): boolean {
  return Number.isNaN(length) && req.method !== "GET" &&
    (env?.incoming?.httpVersionMajor !== 1 ||
      req.header("transfer-encoding") !== undefined);
}

/** Returns the declared length of a body; NaN if there is none, or a transfer coding overrides it. */
function parseLength(headers: Headers): number {
  const text = headers.has("transfer-encoding")
    ? null
    : headers.get("content-length");
  return text === null ? NaN : Number(text);
}

/** Returns the body with a counter. It fails after `maxBytes`. */
function countBytes(body: ReadableStream<Bytes>, maxBytes: number) {
  let bytes = 0;
  const counting = new TransformStream<Bytes, Bytes>({
    transform(chunk, controller) {
      bytes += chunk.length;
      if (bytes > maxBytes) controller.error(new Error("Body is too large"));
      else controller.enqueue(chunk);
    },
  });
  // The server discards the rest; cancelling it would close the connection.
  const counted = body.pipeThrough(counting, { preventCancel: true });
  return { body: counted, isOver: () => bytes > maxBytes };
}
