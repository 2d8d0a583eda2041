import { Buffer } from "node:buffer";
import { get, type IncomingMessage } from "node:http";

/** Maximum size of a response. */
const MAX_BYTES = 64 * 1_024;

/**
 * Returns the body of a GET request to an http: URL, sent without the proxies of the environment, which `fetch` would
 * use: browsers run on this machine or its network.
 *
 * @throws {Error} If the response is not 200 with at most 64 KiB, or `signal` is aborted.
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
      if (bytes > MAX_BYTES) {
        asked.destroy(new Error("the response is too long"));
      }
    });
    answer.on("end", () => {
      if (answer.statusCode === 200) resolve(Buffer.concat(chunks).toString());
      else reject(new Error(`it responds with ${answer.statusCode}`));
    });
  }
}
