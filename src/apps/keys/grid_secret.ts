import { isSealed } from "../../db/secrets.ts";
import type { SecretPosition, Secrets } from "../../core/database.ts";
import type { KeyStore } from "./store/keys.ts";

/** Name of the secret under which connect tokens are made. */
const NAME = "connect_tokens";

/** Returns the place of the grid secret `name` in the database. */
export function toSecretPosition(name: string): SecretPosition {
  return ["grid_secrets", "value", name];
}

/** Reads the secret of connect tokens once, and makes it if it is the first to ask. A failure is tried again by the next. */
export function gridSecret(
  store: Pick<KeyStore, "readSecret">,
  secrets: Secrets,
): () => Promise<Uint8Array<ArrayBuffer>> {
  let reading: Promise<Uint8Array<ArrayBuffer>> | undefined;

  async function read(): Promise<Uint8Array<ArrayBuffer>> {
    const place = toSecretPosition(NAME);
    const made = crypto.getRandomValues(new Uint8Array(32)).toHex();
    const sealed = await secrets.sealUnchecked(made, place);
    const stored = await store.readSecret(NAME, sealed);
    // A secret from before encryption is encrypted at the next start.
    const isPlain = !isSealed(stored);
    return Uint8Array.fromHex(
      isPlain ? stored : await secrets.open(stored, place),
    );
  }

  return function secret() {
    reading ??= read().catch((error) => {
      reading = undefined;
      throw error;
    });
    return reading;
  };
}
