import { type ConnectTokens } from "../../core/caller.ts";
import type { Clock } from "../../async/clock.ts";
import { computeHmac, hashText, isEqualHash } from "../../core/redact.ts";

/** Options of {@linkcode HmacConnectTokens}. */
export interface ConnectTokenOptions {
  readonly clock: Pick<Clock, "now">;
  readonly lifetimeMs: number;
  /** Returns 32 bytes that every server of the grid has. */
  readonly secret: () => Promise<Uint8Array<ArrayBuffer>>;
}

const TOKEN = /^ct_([0-9a-z]{1,10})_([0-9A-Za-z_-]{43})$/;

/** Reports whether `text` has the form of a connect token. */
export function isConnectToken(text: string): boolean {
  return text.startsWith("ct_");
}

/** Connect tokens authenticated with HMAC-SHA-256. */
export class HmacConnectTokens implements ConnectTokens {
  readonly #options: ConnectTokenOptions;

  constructor(options: ConnectTokenOptions) {
    this.#options = options;
  }

  async issue(
    sessionId: string,
    lifetimeMs: number = this.#options.lifetimeMs,
  ): Promise<string> {
    const expiry = Math.round(this.#options.clock.now() + lifetimeMs)
      .toString(36);
    return `ct_${expiry}_${await this.#computeMac(sessionId, expiry)}`;
  }

  async isValid(token: string, sessionId: string): Promise<boolean> {
    const [, expiry = "", mac = ""] = TOKEN.exec(token) ?? [];
    if (!(parseInt(expiry, 36) > this.#options.clock.now())) return false;
    const expected = await this.#computeMac(sessionId, expiry);
    return isEqualHash(await hashText(mac), await hashText(expected));
  }

  async #computeMac(sessionId: string, expiry: string): Promise<string> {
    const secret = await this.#options.secret();
    const text = `connect ${sessionId} ${expiry}`;
    return await computeHmac(secret, text, "base64url");
  }
}
