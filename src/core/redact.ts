/**
 * What a key in the database looks like: `bg_` + 8 characters that may be shown + `_` + 43 secret ones.
 *
 * @module
 */

const ALPHABET =
  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const PUBLIC_LENGTH = 8;

/** 62^43 is more than 2^256. */
const SECRET_LENGTH = 43;

const WHOLE = /^(bg_[0-9A-Za-z]{8})_[0-9A-Za-z]{43}$/;

/** Keys and connect tokens anywhere in a text; what may be shown of them comes first. */
const ANYWHERE = /(bg_[0-9A-Za-z]{8}_|ct_)[0-9A-Za-z_-]{12,}/g;

/**
 * Matches user and password of a URL anywhere in a text. The scheme is not matched: it could begin at each "-" or "."
 * of a long text, and the search would take quadratic time.
 */
const USER = /:\/\/[^\s/?#"'<>]+@/g;

/** A new key. */
export function newKey(): string {
  return `bg_${randomText(PUBLIC_LENGTH)}_${randomText(SECRET_LENGTH)}`;
}

/** The part of a key that may be shown, or undefined if `text` is no key of a database. */
export function parseKeyPrefix(text: string): string | undefined {
  return WHOLE.exec(text)?.[1];
}

/** SHA-256 in hex: what is stored and compared in place of a key. */
export async function hashText(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Compares hashes without telling by its duration how much is equal. */
export function isEqualHash(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let at = 0; at < a.length; at++) {
    difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  }
  return difference === 0;
}

/** `text` with only the harmless part of each key and connect token in it, and without the user and password of each URL. */
export function redactKeys(text: string): string {
  return text.replace(ANYWHERE, "$1…").replace(USER, "://");
}

/** Every character of the alphabet is as likely: bytes beyond its last whole multiple are thrown away. */
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
