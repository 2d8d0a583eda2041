import { Buffer } from "node:buffer";

/** Size of one read. */
const CHUNK_BYTES = 65_536;

/**
 * Reads a text file whose path is configured. Reads at most `maxBytes`, because the size of some files, such as those in
 * `/proc`, is unknown before.
 *
 * @throws {Error} If it is no regular file, such as a device, which may never end, or if it has more bytes.
 */
export async function readSmallFile(
  path: string,
  maxBytes: number,
): Promise<string> {
  // Before it is opened: the opening of a pipe waits for a writer.
  requireRegular(await Deno.stat(path));
  using file = await Deno.open(path, { read: true });
  requireRegular(await file.stat());
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const count = await file.read(chunk);
    if (count === null) return Buffer.concat(chunks).toString();
    bytes += count;
    if (bytes > maxBytes) {
      throw new Error(`it has more than ${maxBytes} bytes`);
    }
    chunks.push(chunk.subarray(0, count));
  }
}

function requireRegular({ isFile }: Deno.FileInfo): void {
  if (!isFile) throw new Error("it is no regular file");
}
