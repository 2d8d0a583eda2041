/** A database's URL, fit to be shown, and the secret that it came with. */
export interface DatabaseAddress {
  readonly url: string;
  readonly authToken: string | undefined;
}

/** Whether `url` names a user or a password. */
export function hasUser(url: string): boolean {
  return /^\w+:\/\/[^/?#]*@/.test(url);
}

/** Takes `?authToken=…` out of a remote database's URL, so that whoever shows or logs the URL shows no secret. */
export function addressOf(given: string): DatabaseAddress {
  const at = given.indexOf("?");
  const isRemote = /^(libsql|https?):/i.test(given);
  if (!isRemote || at < 0) return { url: given, authToken: undefined };
  const query = new URLSearchParams(given.slice(at + 1));
  const authToken = query.get("authToken") ?? undefined;
  query.delete("authToken");
  const rest = query.size > 0 ? `?${query}` : "";
  return { url: given.slice(0, at) + rest, authToken };
}
