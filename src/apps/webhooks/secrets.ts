import type { Secrets } from "../../core/database.ts";

/** Length of a secret: as many bytes as its HMAC has. */
const SECRET_BYTES = 32;

const TABLE = "webhooks";

/** Returns a new secret in the form of Standard Webhooks. */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return `whsec_${bytes.toBase64()}`;
}

/**
 * Encrypts the secrets of webhooks. The previous secret keeps the encryption of the position `secret`, so that a
 * rotation is one statement.
 */
export class WebhookSecrets {
  readonly #secrets: Secrets;

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  sealSecret(secret: string, id: string): Promise<string> {
    return this.#secrets.seal(secret, [TABLE, "secret", id]);
  }

  openSecret(sealed: string, id: string): Promise<string> {
    return this.#secrets.open(sealed, [TABLE, "secret", id]);
  }

  async sealHeaders(
    headers: Readonly<Record<string, string>>,
    id: string,
  ): Promise<Record<string, string>> {
    return await mapValues(
      headers,
      (value, name) => this.#secrets.seal(value, position(name, id)),
    );
  }

  async openHeaders(
    sealed: Readonly<Record<string, string>>,
    id: string,
  ): Promise<Record<string, string>> {
    return await mapValues(
      sealed,
      (value, name) => this.#secrets.open(value, position(name, id)),
    );
  }

  /** Returns the SQL LIKE pattern of what the current key encrypted. */
  currentPattern(): Promise<string> {
    return this.#secrets.currentPattern();
  }
}

function position(name: string, id: string): [string, string, string] {
  return [TABLE, `headers.${name}`, id];
}

async function mapValues(
  values: Readonly<Record<string, string>>,
  change: (value: string, name: string) => Promise<string>,
): Promise<Record<string, string>> {
  const changed = await Promise.all(
    Object.entries(values).map(async ([name, value]) =>
      [name, await change(value, name)] as const
    ),
  );
  return Object.fromEntries(changed);
}
