/**
 * Keys of the form `bg_` + 8 characters that may be shown + `_` + 43 secret characters, and their redaction.
 *
 * @module
 */
import { lruTouch } from "../async/lru.ts";
import { OnDemand } from "../async/on_demand.ts";

const ALPHABET =
  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const PUBLIC_LENGTH = 8;

/** 62^43 is more than 2^256. */
const SECRET_LENGTH = 43;

const WHOLE = /^(bg_[0-9A-Za-z]{8})_[0-9A-Za-z]{43}$/;

/** Maximum length of a key whose hash is remembered. The setting `api_key` may be any text. */
const MAX_KEY = 256;

/** Matches keys, connect tokens and tokens of links anywhere in a text. The first group is the part that may be shown. */
const ANYWHERE = /(bg_[0-9A-Za-z]{8}_|ct_|lv_)[0-9A-Za-z_-]{12,}/g;

/**
 * Matches user and password of a URL anywhere in a text. The scheme is not matched: it could begin at each "-" or "."
 * of a long text, and the search would take quadratic time.
 */
const USER = /:\/\/[^\s/?#"'<>]+@/g;

/** Creates a key. */
export function newKey(): string {
  return `bg_${randomText(PUBLIC_LENGTH)}_${randomText(SECRET_LENGTH)}`;
}

/** Returns the part of a key that may be shown; undefined if `text` does not have the form of a key. */
export function parseKeyPrefix(text: string): string | undefined {
  return WHOLE.exec(text)?.[1];
}

/** Returns the SHA-256 in hex, which is stored and compared in place of a key. */
export async function hashText(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Loaded at the first use: an idle server needs no HMAC. */
const hmac = new OnDemand(() => import("node:crypto"));

/**
 * Returns the HMAC-SHA-256 of a text. WebCrypto takes three times as long for a short text, and two turns of
 * the event loop, which a flood of requests makes long.
 */
export async function computeHmac(
  secret: Uint8Array,
  text: string,
  encoding: "hex" | "base64url",
): Promise<string> {
  const { createHmac } = await hmac.get();
  return createHmac("sha256", secret).update(text).digest(encoding);
}

/** Maximum number of remembered hashes. */
const MAX_HASHES = 10_000;

/** Hashes of recently presented keys and secrets of workers. A hash takes two turns of the event loop, which a flood of requests makes long. */
const hashes = new Map<string, Promise<string>>();

/** Returns {@linkcode hashText} of a key that a request presents, computed once for the keys in use. */
export function hashKey(key: string): Promise<string> {
  if (key.length > MAX_KEY) return hashText(key);
  const hash = hashes.get(key) ?? hashText(key);
  lruTouch(hashes, [key, hash], MAX_HASHES);
  return hash;
}

/** Compares hashes in constant time. */
export function isEqualHash(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let at = 0; at < a.length; at++) {
    difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  }
  return difference === 0;
}

/** Returns `text` without the secret part of each key and token, and without user and password of each URL. */
export function redactKeys(text: string): string {
  return text.replace(ANYWHERE, "$1\u2026").replace(USER, "://");
}

/** Returns random text. Discards bytes beyond a multiple of the alphabet, so that every character is equally likely. */
function randomText(length: number): string {
  const limit = 256 - 256 % ALPHABET.length;
  let text = "";
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(2 * length))) {
      if (byte < limit) text += ALPHABET.charAt(byte % ALPHABET.length);
    }
  }
  return text.slice(0, length);
}

/** Length of a key in bytes. */
export const KEY_BYTES = 32;

/** Parses a key in hex or base64; returns undefined if it does not have 32 bytes. */
export function parseKey(
  text: string,
): Uint8Array<ArrayBuffer> | undefined {
  const trimmed = text.trim();
  try {
    const bytes = /^[0-9a-f]{64}$/i.test(trimmed)
      ? Uint8Array.fromHex(trimmed)
      : Uint8Array.fromBase64(trimmed, {
        alphabet: /[-_]/.test(trimmed) ? "base64url" : "base64",
      });
    return bytes.length === KEY_BYTES ? bytes : undefined;
  } catch {
    return undefined;
  }
}
