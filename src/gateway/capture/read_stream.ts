import { z } from "@hono/zod-openapi";
import { Buffer } from "node:buffer";
import { emptyCapture } from "./empty_capture.ts";
import type { OpenPage } from "./open_page.ts";

const CHUNK_BYTES = 256 * 1024;

const chunkSchema = z.object({
  data: z.string(),
  base64Encoded: z.boolean().optional(),
  eof: z.boolean(),
});

type Chunk = z.infer<typeof chunkSchema>;

/**
 * Returns the document that the browser stores under `handle` as a stream. It reads a chunk when the consumer takes one
 * and never holds the whole document.
 *
 * The stream disposes `open` when it ends, when the consumer cancels it, and when neither side makes progress until
 * the timeout of `open`.
 *
 * @throws {GridError} The browser's problem if the first chunk cannot be read, or `browser_refused` if the document is
 *   empty.
 * @see {@link https://chromedevtools.github.io/devtools-protocol/tot/IO/#method-read IO.read}
 */
export async function readStream(
  open: OpenPage,
  handle: string,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const { timeout } = open;
  // The response starts with the first byte; until then it can still be a problem.
  let first: Chunk | undefined = await readChunk(open, handle);
  while (first.data === "") {
    if (first.eof) throw emptyCapture("document", "one with a page");
    timeout.extend();
    first = await readChunk(open, handle);
  }
  return new ReadableStream({
    start(controller) {
      timeout.signal.addEventListener("abort", () => {
        controller.error(timeout.signal.reason);
        open[Symbol.dispose]();
      });
    },
    async pull(controller) {
      try {
        const { data, base64Encoded, eof } = first ??
          await readChunk(open, handle);
        first = undefined;
        timeout.extend();
        const bytes = Buffer.from(data, base64Encoded ? "base64" : "utf8");
        if (bytes.length > 0) controller.enqueue(Uint8Array.from(bytes));
        if (!eof) return;
        open[Symbol.dispose]();
        controller.close();
      } catch (error) {
        open[Symbol.dispose]();
        controller.error(error);
      }
    },
    cancel: () => open[Symbol.dispose](),
  });
}

function readChunk({ cdp }: OpenPage, handle: string): Promise<Chunk> {
  return cdp.call({
    method: "IO.read",
    params: { handle, size: CHUNK_BYTES },
    result: chunkSchema,
  });
}
