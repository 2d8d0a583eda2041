/** Number of random bytes of a token. */
const TOKEN_BYTES = 32;

const WHOLE = /^lv_[A-Za-z0-9_-]{43}$/;

/** Creates the token of a link: `lv_` and 256 random bits. */
export function newLinkToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES));
  return `lv_${bytes.toBase64({ alphabet: "base64url", omitPadding: true })}`;
}

/** Reports whether `text` has the form of a token. */
export function isLinkToken(text: string): boolean {
  return WHOLE.test(text);
}
