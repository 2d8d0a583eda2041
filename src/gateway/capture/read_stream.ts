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
 * What the browser keeps under `handle`, read as fast as it is taken and never held whole. The conversation ends with it:
 * at its end, when nobody wants it any more, and when either side does nothing for too long.
 *
 * @throws {GridError} The browser's error if the first part cannot be read, or `browser_refused` if there is no byte.
 * @see {@link https://chromedevtools.github.io/devtools-protocol/tot/IO/#method-read IO.read}
 */
export async function readStream(
  open: OpenPage,
  handle: string,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const { page, timeout } = open;
  const next = () =>
    page.call({
      method: "IO.read",
      params: { handle, size: CHUNK_BYTES },
      result: chunkSchema,
    });
  // The response begins with the first byte; until then it can still be a problem.
  let part: Chunk | undefined = await next();
  while (part.data === "") {
    if (part.eof) throw emptyCapture("document", "one with a page");
    timeout.extend();
    part = await next();
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
        const { data, base64Encoded, eof } = part ?? await next();
        part = undefined;
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
