import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
} from "node:crypto";
import type { Random } from "./random.ts";

/** Length of the tag that AES-GCM appends to the ciphertext. */
const TAG_BYTES = 16;

/**
 * Makes sources of nondeterminism depend on the seed until disposed: the jitter of loops, and cryptography, which
 * otherwise resolves from another thread at an unpredictable time. Servers start no threads.
 */
export function seedGlobals(random: Random): Disposable {
  const { random: original } = Math;
  const { Worker } = globalThis;
  setThread(IdleThread);
  Math.random = random.next;
  const { subtle } = crypto;
  const replaced = Object.keys(AT_ONCE);
  // They are inherited, so deleting the overrides restores them.
  for (const name of replaced) {
    Object.defineProperty(subtle, name, {
      configurable: true,
      value: Reflect.get(AT_ONCE, name),
    });
  }
  return {
    [Symbol.dispose]() {
      Math.random = original;
      setThread(Worker);
      for (const name of replaced) Reflect.deleteProperty(subtle, name);
    },
  };
}

/**
 * A thread that is ready and does nothing. A real one would start in real time, and remain when its server is killed,
 * which ends no thread of this process: the program would not end.
 */
class IdleThread {
  onmessage: ((event: { readonly data: unknown }) => void) | undefined;

  constructor() {
    queueMicrotask(() => this.onmessage?.({ data: { type: "ready" } }));
  }

  postMessage(): void {}

  terminate(): void {}
}

function setThread(value: unknown): void {
  Object.defineProperty(globalThis, "Worker", {
    configurable: true,
    writable: true,
    value,
  });
}

/** Bytes of the imported keys, which cannot be exported. */
const rawKeys = new WeakMap<object, Uint8Array>();

/** Synchronous implementations of the used functions of `crypto.subtle`. */
const AT_ONCE = {
  digest(algorithm: string, data: BufferSource): Promise<ArrayBuffer> {
    if (algorithm !== "SHA-256") throw unknown(algorithm);
    return resolved(createHash("sha256").update(toBytes(data)).digest());
  },
  importKey(_format: "raw", data: BufferSource): Promise<object> {
    const key = {};
    rawKeys.set(key, new Uint8Array(toBytes(data)));
    return Promise.resolve(key);
  },
  sign(
    algorithm: string | { readonly name: string },
    key: object,
    data: BufferSource,
  ): Promise<ArrayBuffer> {
    const name = typeof algorithm === "string" ? algorithm : algorithm.name;
    if (name !== "HMAC") throw unknown(name);
    const hmac = createHmac("sha256", readRawKey(key));
    return resolved(hmac.update(toBytes(data)).digest());
  },
  encrypt(
    { iv, additionalData }: AesParams,
    key: object,
    data: BufferSource,
  ): Promise<ArrayBuffer> {
    const cipher = createCipheriv("aes-256-gcm", readRawKey(key), toBytes(iv));
    cipher.setAAD(toBytes(additionalData));
    const body = [cipher.update(toBytes(data)), cipher.final()];
    return resolved(Buffer.concat([...body, cipher.getAuthTag()]));
  },
  decrypt(
    { iv, additionalData }: AesParams,
    key: object,
    data: BufferSource,
  ): Promise<ArrayBuffer> {
    const bytes = toBytes(data);
    const cipher = createDecipheriv(
      "aes-256-gcm",
      readRawKey(key),
      toBytes(iv),
    );
    cipher.setAAD(toBytes(additionalData));
    cipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const body = cipher.update(bytes.subarray(0, -TAG_BYTES));
    return resolved(Buffer.concat([body, cipher.final()]));
  },
};

interface AesParams {
  readonly iv: BufferSource;
  readonly additionalData: BufferSource;
}

function readRawKey(key: object): Uint8Array {
  return rawKeys.get(key) ?? new Uint8Array();
}

function toBytes(data: BufferSource): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

function resolved(bytes: Uint8Array): Promise<ArrayBuffer> {
  return Promise.resolve(new Uint8Array(bytes).buffer);
}

function unknown(algorithm: string): TypeError {
  return new TypeError(`Cannot do this at once: ${algorithm}`);
}
