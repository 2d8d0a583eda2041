/** Name of the token in the storage of this tab. */
const STORED = "browsergrid.live.token";

/**
 * Returns the token of a link and removes it from the address bar, so that it stays in no history and is not seen on a
 * shared screen. The tab's storage keeps it for reloads.
 */
export function takeToken(): string | undefined {
  const token = readHash(location.hash);
  if (token === undefined) return readStored();
  history.replaceState(null, "", location.pathname + location.search);
  try {
    sessionStorage.setItem(STORED, token);
  } catch {
    // Frames of another site may have no storage: a reload then needs the link again.
  }
  return token;
}

function readHash(hash: string): string | undefined {
  // A subprotocol carries it: other characters are not possible there.
  return /^#([\w.~-]{1,512})$/.exec(hash)?.[1];
}

function readStored(): string | undefined {
  try {
    return sessionStorage.getItem(STORED) ?? undefined;
  } catch {
    return undefined;
  }
}
