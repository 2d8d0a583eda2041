/**
 * Encryption of secrets in the database, with a key outside it.
 *
 * ```text
 * v1.KEYID.BASE64URL(iv || ciphertext || tag)      AES-256-GCM, 96-bit random iv
 * ```
 *
 * KEYID is the first 4 bytes of a hash of the key, and identifies it. The position of the text (table, column and row id)
 * is authenticated with it: a ciphertext that was moved to another row cannot be decrypted there.
 *
 * @module
 */
import type { SecretPosition, Secrets } from "../core/database.ts";
import { GridError } from "../core/errors.ts";
import { computeHmac } from "../core/redact.ts";
import { lruTouch } from "../async/lru.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const IV_BYTES = 12;

/** Imported keys cannot be exported. */
const EXTRACTABLE = false;

/** Maximum number of decrypted texts in the cache: the texts of work pools are read with every session. */
const MAX_OPENED = 500;

const SEALED = /^v1\.([0-9a-f]{8})\.([\w-]+)$/;

/** An imported key. */
interface Key {
  readonly id: string;
  readonly cipher: CryptoKey;
  readonly mac: Bytes;
}

type Keys = readonly [current: Key, ...previous: Key[]];

/** Encrypts and decrypts values that must not be readable in a copy of the database. */
export class SecretCipher implements Secrets {
  readonly #keys: () => Promise<Keys>;
  readonly #opened = new Map<string, string>();
  #check: () => Promise<unknown> = () => Promise.resolve();

  /** @param previous Keys that decrypt older texts and never encrypt. */
  constructor(current: Bytes, previous: readonly Bytes[] = []) {
    let keys: Promise<Keys> | undefined;
    const importAll = async (): Promise<Keys> => [
      await importKey(current),
      ...await Promise.all(previous.map(importKey)),
    ];
    // Runs at the first use, so that constructing a grid does not wait for it.
    this.#keys = () => keys ??= importAll();
  }

  /** Runs `check` before anything is encrypted. It rejects if the key is not the grid's. */
  checkWith(check: () => Promise<unknown>): void {
    this.#check = check;
  }

  /** @throws {GridError} `encryption_key_mismatch`. */
  async seal(text: string, position: SecretPosition): Promise<string> {
    await this.#check();
    return await this.sealUnchecked(text, position);
  }

  /** Encrypts a text that `check` itself reads. */
  async sealUnchecked(text: string, position: SecretPosition): Promise<string> {
    const [{ id, cipher }] = await this.#keys();
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const sealed = await crypto.subtle.encrypt(
      { name: "AES-GCM", iv, additionalData: encodePosition(position) },
      cipher,
      new TextEncoder().encode(text),
    );
    const bytes = new Uint8Array([...iv, ...new Uint8Array(sealed)]);
    return `v1.${id}.${
      bytes.toBase64({ alphabet: "base64url", omitPadding: true })
    }`;
  }

  /**
   * Decrypts a text.
   *
   * @throws {GridError} `encryption_key_mismatch` - it was encrypted with another key or for another position, or
   * modified.
   */
  async open(sealed: string, position: SecretPosition): Promise<string> {
    const known = `${position.join(" ")} ${sealed}`;
    const text = this.#opened.get(known) ??
      await this.#decrypt(sealed, position);
    lruTouch(this.#opened, [known, text], MAX_OPENED);
    return text;
  }

  /** Returns the SQL LIKE pattern of texts that the current key encrypted. */
  async currentPattern(): Promise<string> {
    const [{ id }] = await this.#keys();
    return `v1.${id}.%`;
  }

  /** Returns a keyed hash of `text` that is the same on every server. */
  async fingerprint(text: string): Promise<string> {
    const [{ mac }] = await this.#keys();
    return await computeHmac(mac, text, "hex");
  }

  async #decrypt(sealed: string, position: SecretPosition): Promise<string> {
    const [, id, body = ""] = SEALED.exec(sealed) ?? [];
    const keys = await this.#keys();
    const key = keys.find((each) => each.id === id);
    if (!key) throw createMismatch(position, id, keys);
    try {
      const bytes = Uint8Array.fromBase64(body, { alphabet: "base64url" });
      const text = await crypto.subtle.decrypt(
        {
          name: "AES-GCM",
          iv: bytes.slice(0, IV_BYTES),
          additionalData: encodePosition(position),
        },
        key.cipher,
        bytes.slice(IV_BYTES),
      );
      return new TextDecoder().decode(text);
    } catch (cause) {
      throw new GridError(
        "encryption_key_mismatch",
        `Cannot read ${
          describePosition(position)
        }: it was changed, or belongs to another row, expected it as it was written`,
        {},
        { cause },
      );
    }
  }
}

/** Reports whether `stored` is encrypted, with any key. */
export function isSealed(stored: string): boolean {
  return SEALED.test(stored);
}

async function importKey(key: Bytes): Promise<Key> {
  const labelled = new Uint8Array([
    ...new TextEncoder().encode("browsergrid key id "),
    ...key,
  ]);
  const digest = await crypto.subtle.digest("SHA-256", labelled);
  const hmac = { name: "HMAC", hash: "SHA-256" } as const;
  const root = await crypto.subtle.importKey("raw", key, hmac, EXTRACTABLE, [
    "sign",
  ]);
  const derived = await crypto.subtle.sign(
    "HMAC",
    root,
    new TextEncoder().encode("browsergrid fingerprints"),
  );
  return {
    id: new Uint8Array(digest, 0, 4).toHex(),
    cipher: await crypto.subtle.importKey("raw", key, "AES-GCM", EXTRACTABLE, [
      "encrypt",
      "decrypt",
    ]),
    mac: new Uint8Array(derived),
  };
}

function encodePosition(position: SecretPosition): Bytes {
  return new TextEncoder().encode(JSON.stringify(position));
}

function describePosition([table, column, rowId]: SecretPosition): string {
  return `column "${column}" of "${table}" "${rowId}"`;
}

function createMismatch(
  position: SecretPosition,
  id: string | undefined,
  keys: readonly Key[],
): GridError {
  const known = keys.map((key) => key.id).join(", ");
  return new GridError(
    "encryption_key_mismatch",
    `Cannot read ${describePosition(position)}: it was encrypted with key ${
      id ?? "unknown"
    }, and here is key ${known}, expected the same encryption_key on every server, or the old one in previous_encryption_keys`,
  );
}
