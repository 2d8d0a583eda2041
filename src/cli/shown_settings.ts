import { redactKeys } from "../core/redact.ts";
import type { Settings } from "../core/settings.ts";

/** Names of settings, and of what stands in them, that nobody but the program must see. */
const SECRET =
  /^((api|auth|access|private|secret|signing|encryption)_?)?key$|encryption_keys$|token$|pass(word|phrase)$|secret$/i;

/** What stands for a secret that is set. */
export const HIDDEN = "(set, not shown)";

/** A database's URL without what may be secret in it: user, password and parameters. */
export function shownUrl(url: string): string {
  if (url.startsWith("file:")) return url;
  return redactKeys(url).replace(/\?.*$/, "");
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
  if (name === "database_url") return shownUrl(String(value));
  return inside(value);
}

/** The options of apps and middleware have secrets of their own, and any URL may have a password. */
function inside(value: unknown): unknown {
  if (typeof value === "string") return redactKeys(value);
  if (Array.isArray(value)) return value.map(inside);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, shown(name, each)]),
  );
}
