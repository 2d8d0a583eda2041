import { z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { COMPRESSIBLE_CONTENT_TYPE_REGEX } from "hono/compress";
import { parseAccept } from "hono/utils/accept";
import { defineMiddleware, type GridEnv } from "../core/middleware.ts";

/** Names of `CompressionStream` formats by encoding, best first. Not every platform supports all. */
const FORMATS: Readonly<Record<string, string>> = {
  zstd: "zstd",
  br: "brotli",
  gzip: "gzip",
  deflate: "deflate",
};

type Bytes = Uint8Array<ArrayBuffer>;

type Transform = ReadableWritablePair<Bytes, Bytes>;

/**
 * Compresses responses for clients that accept it.
 *
 * Not compressed are small responses, event streams, encoded and partial (206) responses, and `no-transform`. Hono's
 * middleware does not support brotli, nor small responses without a `Content-Length`.
 */
export const compress = defineMiddleware({
  name: "compress",
  optionsSchema: z.strictObject({
    encodings: z.array(z.enum(["zstd", "br", "gzip", "deflate"])).default([
      "zstd",
      "br",
      "gzip",
      "deflate",
    ]).describe(
      "Encodings, best first. Encodings that the platform lacks are skipped",
    ),
    min_bytes: z.int().min(0).default(1_024).describe(
      "Minimum size of a compressed response in bytes",
    ),
  }),
  create({ encodings, min_bytes }): MiddlewareHandler<GridEnv> {
    let offered: readonly string[] | undefined;
    return async function compressResponse(c, next) {
      await next();
      if (!isCompressible(c)) return;
      addVary(c.res.headers);
      const accepted = c.req.header("accept-encoding");
      if (!chooseEncoding(accepted, encodings)) return;
      await encode(c, min_bytes, () => {
        offered ??= encodings.filter(isSupported);
        const encoding = chooseEncoding(accepted, offered);
        return encoding === undefined
          ? undefined
          : { encoding, transform: createCompressor(encoding) };
      });
    };
  },
});

function isCompressible({ req, res }: Context<GridEnv>): boolean {
  const { headers, status } = res;
  return req.method !== "HEAD" && ![204, 206, 304].includes(status) &&
    !headers.has("content-encoding") && !headers.has("transfer-encoding") &&
    !/\bno-transform\b/i.test(headers.get("cache-control") ?? "") &&
    COMPRESSIBLE_CONTENT_TYPE_REGEX.test(headers.get("content-type") ?? "");
}

/** Returns the offered encoding that the client prefers; among equals, the first offered. */
function chooseEncoding(
  header: string | undefined,
  offered: readonly string[],
): string | undefined {
  const accepted = parseAccept(header ?? "");
  const qOf = (name: string) =>
    accepted.find(({ type }) => type.toLowerCase() === name)?.q;
  const any = qOf("*") ?? 0;
  const rated = offered.map((name) => ({ name, q: qOf(name) ?? any }));
  const best = Math.max(0, ...rated.map(({ q }) => q));
  return best > 0 ? rated.find(({ q }) => q === best)?.name : undefined;
}

/** An encoding and the stream that encodes with it. */
interface Compressor {
  readonly encoding: string;
  readonly transform: Transform;
}

/** Encodes the response if it has `minBytes` and `create` returns a compressor. */
async function encode(
  c: Context<GridEnv>,
  minBytes: number,
  create: () => Compressor | undefined,
): Promise<void> {
  const length = Number(c.res.headers.get("content-length") ?? minBytes);
  if (!c.res.body || length < minBytes) return;
  const { first, body } = await peek(c.res.body);
  // Created only if needed: it takes longer than a short response.
  const compressor = first < minBytes ? undefined : create();
  if (!compressor) {
    c.res = new Response(body, c.res);
    return;
  }
  const stream = body instanceof ReadableStream
    ? body
    : new Blob([body]).stream();
  const encoded = new Response(
    stream.pipeThrough(compressor.transform),
    c.res,
  );
  encoded.headers.set("content-encoding", compressor.encoding);
  encoded.headers.delete("content-length");
  const etag = encoded.headers.get("etag");
  if (etag?.startsWith('"')) encoded.headers.set("etag", `W/${etag}`);
  c.res = undefined; // Otherwise the headers of the previous response would be merged into it.
  c.res = encoded;
}

/** Returns the length of a body's first chunk and the body, in one piece if it is complete. Never waits for more. */
async function peek(
  body: ReadableStream<Bytes>,
): Promise<
  { readonly first: number; readonly body: Bytes | ReadableStream<Bytes> }
> {
  const reader = body.getReader();
  const reads = [reader.read()];
  const first = await settleInTurn(reads[0]);
  if (first?.value) {
    reads.push(reader.read());
    const second = await settleInTurn(reads[1]);
    // A complete response without a length is sent fastest in one piece.
    if (second?.done) return { first: first.value.length, body: first.value };
  }
  return { first: first?.value?.length ?? 0, body: resume(reader, reads) };
}

/** Returns a stream of the rest of `reader`, beginning with `reads`. */
function resume(
  reader: ReadableStreamDefaultReader<Bytes>,
  reads: ReturnType<typeof reader.read>[],
): ReadableStream<Bytes> {
  return new ReadableStream<Bytes>({
    async pull(controller) {
      const { done, value } = await (reads.shift() ?? reader.read());
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** Returns the value of `promise` if it resolves within this turn of the event loop, else undefined. */
async function settleInTurn<T>(
  promise: Promise<T> | undefined,
): Promise<T | undefined> {
  const { promise: turn, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), 0);
  try {
    return await Promise.race([promise, turn]);
  } finally {
    clearTimeout(timer);
  }
}

/** Creates a stream that encodes. @throws {TypeError} If the platform does not support the encoding. */
function createCompressor(encoding: string): Transform {
  const format = FORMATS[encoding] as CompressionFormat; // The type does not know what newer platforms have.
  return new CompressionStream(format);
}

/** Reports whether the platform supports an encoding. */
function isSupported(encoding: string): boolean {
  try {
    createCompressor(encoding);
    return true;
  } catch {
    return false;
  }
}

function addVary(headers: Headers): void {
  const vary = headers.get("vary") ?? "";
  if (!/(^|,)\s*(accept-encoding|\*)\s*(,|$)/i.test(vary)) {
    headers.append("vary", "Accept-Encoding");
  }
}
