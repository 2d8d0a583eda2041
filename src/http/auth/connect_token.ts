import { type ConnectTokens } from "../../core/caller.ts";
import type { Clock } from "../../async/clock.ts";
import { hashText, isEqualHash } from "../../core/redact.ts";

/** What connect tokens are made with. */
export interface ConnectTokenOptions {
  readonly clock: Pick<Clock, "now">;
  readonly lifetimeMs: number;
  /** 32 bytes that every server of the grid has. */
  readonly secret: () => Promise<Uint8Array<ArrayBuffer>>;
}

const TOKEN = /^ct_([0-9a-z]{1,10})_([0-9A-Za-z_-]{43})$/;

/** Whether `text` looks like a connect token. */
export function isConnectToken(text: string): boolean {
  return text.startsWith("ct_");
}

/** Connect tokens over a secret. */
export function createConnectTokens(
  { clock, lifetimeMs: usualMs, secret }: ConnectTokenOptions,
): ConnectTokens {
  async function computeMac(
    sessionId: string,
    expiry: string,
  ): Promise<string> {
    const isExtractable = false;
    const key = await crypto.subtle.importKey(
      "raw",
      await secret(),
      { name: "HMAC", hash: "SHA-256" },
      isExtractable,
      ["sign"],
    );
    const text = new TextEncoder().encode(`connect ${sessionId} ${expiry}`);
    const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, text));
    return mac.toBase64({ alphabet: "base64url", omitPadding: true });
  }

  return {
    async issue(sessionId, lifetimeMs = usualMs) {
      const expiry = Math.round(clock.now() + lifetimeMs).toString(36);
      return `ct_${expiry}_${await computeMac(sessionId, expiry)}`;
    },
    async isValid(token, sessionId) {
      const [, expiry = "", mac = ""] = TOKEN.exec(token) ?? [];
      if (!(parseInt(expiry, 36) > clock.now())) return false;
      const own = await computeMac(sessionId, expiry);
      return isEqualHash(await hashText(mac), await hashText(own));
    },
  };
}
