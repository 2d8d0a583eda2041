/** Longest address that the server accepts. */
const MAX_LENGTH = 8_192;

/** Returns the http or https URL that a typed address means: `example.org` is `https://example.org/`. */
export function parseAddress(text: string): string | undefined {
  const address = text.trim();
  // Browsers accept spaces in names of hosts.
  if (/\s/.test(address)) return undefined;
  const isLocal = /^(localhost|\d+\.\d+\.\d+\.\d+|\[[\da-f:]+\])(:|\/|$)/i
    .test(address);
  // `host:8080` has a port and no scheme.
  const hasScheme = /^[a-z][a-z\d+.-]*:(?!\d)/i.test(address);
  try {
    const url = new URL(
      hasScheme ? address : `${isLocal ? "http" : "https"}://${address}`,
    );
    const isWeb = url.protocol === "http:" || url.protocol === "https:";
    return isWeb && url.href.length <= MAX_LENGTH ? url.href : undefined;
  } catch {
    return undefined;
  }
}
