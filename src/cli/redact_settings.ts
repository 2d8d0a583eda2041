import { redactKeys } from "../core/redact.ts";
import type { Settings } from "../core/settings.ts";

/** Names of settings, and of members of their values, that are secret. */
const SECRET =
  /^((api|auth|access|private|secret|signing|encryption)_?)?key$|encryption_keys$|token$|pass(word|phrase)$|secret$/i;

/** Text in place of a secret that is set. */
const HIDDEN = "(set, not shown)";

/** Removes from a database's URL what may be secret: user, password and parameters. */
export function redactDatabaseUrl(url: string): string {
  if (url.startsWith("file:")) return url;
  return redactKeys(url).replace(/\?.*$/, "");
}

/** Returns the settings without their secrets. */
export function redactSettings(settings: Settings): Record<string, unknown> {
  return redactMembers(settings);
}

function redactMembers(record: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, redact(name, value)]),
  );
}

function redact(name: string, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (SECRET.test(name)) return HIDDEN;
  if (name === "otlp_headers") return redactHeaders(value);
  if (name === "database_url") return redactDatabaseUrl(String(value));
  return redactValue(value);
}

/** Hides the values of headers, any of which may be a key. */
function redactHeaders(headers: unknown): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(headers ?? {}).map((name) => [name, HIDDEN]),
  );
}

/** Redacts the options of apps and middleware, which may contain secrets, and URLs, which may contain a password. */
function redactValue(value: unknown): unknown {
  if (typeof value === "string") return redactKeys(value);
  if (Array.isArray(value)) return value.map(redactValue);
  if (typeof value !== "object" || value === null) return value;
  return redactMembers(value);
}
