import { createHash } from "node:crypto";
import type { Random } from "./random.ts";

/**
 * Puts what differs from run to run under the seed, until disposed: the jitter of loops, and hashing, which otherwise
 * comes back from another thread at a moment of its own.
 */
export function seedGlobals(random: Random): Disposable {
  const { random: original } = Math;
  const { digest } = crypto.subtle;
  Math.random = random.next;
  crypto.subtle.digest = (algorithm, data) => {
    if (algorithm !== "SHA-256") {
      throw new TypeError(`Cannot hash: ${algorithm}`);
    }
    return Promise.resolve(sha256(data));
  };
  return {
    [Symbol.dispose]() {
      Math.random = original;
      crypto.subtle.digest = digest;
    },
  };
}

function sha256(data: BufferSource): ArrayBuffer {
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  return new Uint8Array(createHash("sha256").update(bytes).digest()).buffer;
}
