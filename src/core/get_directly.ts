import { Buffer } from "node:buffer";
import { get, type IncomingMessage } from "node:http";

/** Longest answer that is read. */
const MAX_BYTES = 64 * 1_024;

/**
 * The body that `url` (http:) answers with, asked without the proxies of the environment, which `fetch` would use: a
 * browser is reached at its address on this machine or its network.
 *
 * @throws {Error} When it does not answer 200 with at most 64 KiB, or `signal` is aborted.
 */
export function getDirectly(url: URL, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const asked = get(url, { agent: false, signal }, read);
  asked.on("error", reject);
  return promise;

  function read(answer: IncomingMessage): void {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    answer.on("error", reject);
    answer.on("data", (chunk: Uint8Array) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > MAX_BYTES) asked.destroy(new Error("the answer is too long"));
    });
    answer.on("end", () => {
      if (answer.statusCode === 200) resolve(Buffer.concat(chunks).toString());
      else reject(new Error(`it answers ${answer.statusCode}`));
    });
  }
}
