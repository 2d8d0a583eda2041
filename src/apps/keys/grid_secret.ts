import type { KeyStore } from "./store.ts";

/** Name of the secret under which connect tokens are made. */
const NAME = "connect_tokens";

/** Reads the secret of connect tokens once, and makes it if it is the first to ask. A failure is tried again by the next. */
export function gridSecret(
  store: Pick<KeyStore, "secret">,
): () => Promise<Uint8Array<ArrayBuffer>> {
  let reading: Promise<Uint8Array<ArrayBuffer>> | undefined;

  async function read(): Promise<Uint8Array<ArrayBuffer>> {
    const made = crypto.getRandomValues(new Uint8Array(32)).toHex();
    return Uint8Array.fromHex(await store.secret(NAME, made));
  }

  return function secret() {
    reading ??= read().catch((error) => {
      reading = undefined;
      throw error;
    });
    return reading;
  };
}
