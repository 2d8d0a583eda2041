import type { Settings } from "../core/settings.ts";

/** Names of settings that nobody but the program must see. */
const SECRET = /(_key|_token|_password|_secret)$/;

/** What stands for a secret that is set. */
export const HIDDEN = "(set, not shown)";

/** A database's URL without what may be secret in it: user, password and parameters. */
export function shownUrl(url: string): string {
  if (url.startsWith("file:")) return url;
  return url.replace(/^(\w+:\/\/)[^/@]*@/, "$1").replace(/\?.*$/, "");
}

/** The settings as people may see them. */
export function shownSettings(settings: Settings): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, shown(name, value)]),
  );
}

function shown(name: string, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (SECRET.test(name)) return HIDDEN;
  return name === "database_url" ? shownUrl(String(value)) : value;
}
