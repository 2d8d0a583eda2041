import { z } from "@hono/zod-openapi";
import { isNetwork } from "./network.ts";

import { isHostEntry } from "./network.ts";
import { LOCAL_SANDBOX } from "./provider.ts";

/** One entry of the `middleware` setting. */
const middlewareEntrySchema = z.strictObject({
  name: z.string(),
  enabled: z.boolean().default(() => true),
  options: z.record(z.string(), z.unknown()).default({}),
});

const seconds = (min: number) => z.coerce.number().min(min);
const count = (min: number) => z.coerce.number().int().min(min);

/** Every setting, with its default. */
export const settingsSchema = z.strictObject({
  host: z.string().min(1).default("127.0.0.1").describe(
    "Address that the server listens on",
  ),
  port: count(0).max(65535).default(8765).describe(
    "Port that the server listens on; 0 takes a free one",
  ),
  public_url: z.url({ protocol: /^https?$/ }).refine((url) => !hasUser(url), {
    error: "expected no user or password in it: every client is shown it",
  }).optional().describe(
    "URL under which clients reach the server, if it is not http://host:port",
  ),
  replica_url: z.url({ protocol: /^https?$/ }).refine(
    (url) => !hasUser(url),
    { error: "expected no user or password in it" },
  ).optional().describe(
    "URL under which the other servers of the grid reach this one, if it is not http://ADDRESS:port; only for several servers and workers behind NAT",
  ),
  database_url: z.string().regex(
    /^(:memory:$|file:|(libsql|https?):\/\/)/,
    "expected file:PATH, :memory: or a URL such as libsql://HOST",
  ).refine((url) => !hasUser(url), {
    error:
      "expected no user or password in it, but a token in database_auth_token",
  }).optional().describe(
    "Database: file:PATH, :memory:, libsql://HOST, https://HOST or http://HOST; by default a file in data_dir",
  ),
  database_auth_token: z.string().optional().describe(
    "Token for a remote database; may also stand in its URL, as ?authToken=",
  ),
  migrate: booleanSetting().default(() => true).describe(
    "Whether serve brings the database up to date when it starts",
  ),
  data_dir: z.string().min(1).describe(
    "Folder for the database, browsers and the state of workers",
  ),
  local_sandbox: z.enum(LOCAL_SANDBOX).default("auto").describe(
    "Selects the sessions of local browsers that are isolated from files and network of their host, on Linux with bubblewrap and socat: auto those of client keys and of pools that limit egress, require all, off none. A session that cannot be isolated does not start",
  ),
  api_url: z.url({ protocol: /^https?$/ }).default("http://127.0.0.1:8765")
    .describe("Server that worker, pool and session talk to"),
  api_key: z.string().min(1).optional().describe(
    "The first key, an admin's; without it, and without an admin's key in the database, nobody is asked for one. What worker, pool, session and key show to the server",
  ),
  connect_token_seconds: seconds(1).default(600).describe(
    "How long the token in a connect_url may be used to connect; what is connected stays",
  ),
  encryption_key: encryptionKey().optional().describe(
    "Key that encrypts secrets in the database, 32 random bytes in hex or base64, such as from `openssl rand -hex 32`. By default it is in the file encryption.key of data_dir, created at the first start. Required with a remote database; all its servers need the same key",
  ),
  previous_encryption_keys: listSetting(encryptionKey()).default([]).describe(
    "Earlier values of encryption_key. The next start of serve encrypts their secrets with the current key",
  ),
  websocket_ping_seconds: seconds(0).max(3_600).refine(
    (value) => value === 0 || value >= 1,
    "expected 0, or at least 1",
  ).default(20).describe(
    "Idle time in both directions after which a client's WebSocket is pinged, so that HTTP proxies do not close it; 0 disables pings",
  ),
  apps: listSetting().optional().describe(
    "Apps that are installed, in order; by default all that are built in, then those of plugins",
  ),
  plugins: listSetting().default([]).describe(
    "Modules that bring apps, middleware and providers: paths, npm:NAME@VERSION or packages in node_modules",
  ),
  app_options: jsonSetting(
    z.record(z.string(), z.record(z.string(), z.unknown())),
  ).default({}).describe("Options of apps that take some, by the app's name"),
  middleware: jsonSetting(z.array(middlewareEntrySchema)).optional().describe(
    "Middleware whose order, options or use is to differ, each { name, enabled, options }; what is not named keeps its place and its defaults",
  ),
  log_level: z.enum(["debug", "info", "warning", "error"]).default("info")
    .describe("Least level that is logged"),
  log_format: z.enum(["text", "json"]).default("text").describe(
    "How a log line looks",
  ),
  lease_seconds: seconds(3).default(30).describe(
    "How long a worker may hold a session without a heartbeat",
  ),
  heartbeat_seconds: seconds(1).default(10).describe(
    "How often a worker reports",
  ),
  queue_timeout_seconds: seconds(1).default(300).describe(
    "How long a session may wait for a worker before it fails",
  ),
  start_timeout_seconds: seconds(1).default(120).describe(
    "How long a browser may take to start before the session fails",
  ),
  session_timeout_minutes: z.coerce.number().gt(0).default(60).describe(
    "Longest life of a session that asks for none, whose pool has no default",
  ),
  max_start_attempts: count(1).default(3).describe(
    "How often a session is queued again when its worker is lost while it starts",
  ),
  server_grace_seconds: seconds(0).default(120).describe(
    "How much longer than its lease a worker keeps browsers that run while the server is known to be away",
  ),
  drain_timeout_seconds: seconds(0).default(3_600).describe(
    "How long the sessions of a worker that drains may go on",
  ),
  retention_hours: z.coerce.number().gt(0).default(24 * 7).describe(
    "How long ended sessions and their events are kept",
  ),
  shutdown_seconds: seconds(0).max(9).default(8).describe(
    "How long a stopping server waits for requests and browsers to end",
  ),
  allowed_origins: jsonSetting(z.array(z.string())).default([]).describe(
    'Web origins whose pages may call the server, such as "https://app.example"; "*" for all',
  ),
  allowed_hosts: listSetting(
    z.string().refine(
      isHostEntry,
      'expected a host without a port such as "grid.example", "*.grid.example" for every name below it, or "*" for all',
    ),
  ).default([]).describe(
    "Further host names and addresses of requests without a key, such as grid.example or *.grid.example; * for all. Loopback, host, public_url, replica_url and api_url are always allowed. Requests with a key may use any name",
  ),
  worker_networks: jsonSetting(z.array(networkSchema())).default([]).describe(
    'Networks in which the server connects to any browser that a worker reports, such as ["172.16.0.0/12"]. Outside of them it connects only to the worker\'s address, or through its tunnel',
  ),
  trusted_proxies: jsonSetting(z.array(networkSchema())).default([]).describe(
    'Proxies whose X-Forwarded-For, -Proto, -Host and -Prefix are trusted, such as ["10.0.0.0/8", "::1"]. By default only the address of the connection is used',
  ),
}).refine(
  ({ lease_seconds, heartbeat_seconds }) =>
    lease_seconds >= 2 * heartbeat_seconds,
  {
    path: ["lease_seconds"],
    error:
      "expected at least twice heartbeat_seconds: one heartbeat may be lost",
  },
);

/** Settings, checked. */
export type Settings = z.infer<typeof settingsSchema>;

function networkSchema() {
  return z.string().refine(
    isNetwork,
    'expected addresses or networks such as "10.0.0.0/8"',
  );
}

/** A boolean that the environment writes as true, false, 1, 0, yes, no. */
function booleanSetting() {
  return z.union([z.boolean(), z.stringbool()]);
}

/** Schema of 32 bytes as text. */
function encryptionKey() {
  return z.string().refine((text) => parseKey(text) !== undefined, {
    error: "expected 32 bytes in hex (64 digits) or base64 (44 characters)",
  });
}

/** Schema of a list, which the environment writes as JSON or separated by commas. */
function listSetting(entry: z.ZodString = z.string().min(1)) {
  return z.preprocess(
    (value) =>
      typeof value !== "string" || value.trim().startsWith("[")
        ? value
        : value.split(",").map((each) => each.trim()).filter(Boolean),
    jsonSetting(z.array(entry)),
  );
}

/** A value that the environment writes as JSON. */
function jsonSetting<T extends z.ZodType>(schema: T) {
  return z.preprocess((value, context) => {
    if (typeof value !== "string") return value;
    try {
      return JSON.parse(value);
    } catch {
      context.addIssue({ code: "custom", message: "expected JSON" });
      return z.NEVER;
    }
  }, schema);
}

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
export function parseDatabaseAddress(given: string): DatabaseAddress {
  const at = given.indexOf("?");
  const isRemote = /^(libsql|https?):/i.test(given);
  if (!isRemote || at < 0) return { url: given, authToken: undefined };
  const query = new URLSearchParams(given.slice(at + 1));
  const authToken = query.get("authToken") ?? undefined;
  query.delete("authToken");
  const rest = query.size > 0 ? `?${query}` : "";
  return { url: given.slice(0, at) + rest, authToken };
}

/** What a value of `schema` looks like, for people: `whole number, 0–65535`, `true or false`, `one of text, json`. */
export function renderSettingType(schema: z.ZodType): string {
  const json = z.toJSONSchema(schema, { io: "output", unrepresentable: "any" });
  if (json.enum) return `one of ${json.enum.join(", ")}`;
  switch (json.type) {
    case "boolean":
      return "true or false";
    case "integer":
      return `whole number${renderLimits(json)}`;
    case "number":
      return `number${renderLimits(json)}`;
    case "array":
      return "list (JSON)";
    case "object":
      return "object (JSON)";
    default:
      return json.format === "uri" ? "URL" : "text";
  }
}

export function renderLimits(
  { minimum, maximum, exclusiveMinimum }: z.core.JSONSchema.BaseSchema,
): string {
  // What every whole number is below is no limit worth a word.
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}`;
  if (minimum === undefined) return most === undefined ? "" : `, to ${most}`;
  return most === undefined ? `, from ${minimum}` : `, ${minimum} to ${most}`;
}

/** Length of a key in bytes. */
export const KEY_BYTES = 32;

/** Parses a key in hex or base64; returns undefined if it does not have 32 bytes. */
export function parseKey(
  text: string,
): Uint8Array<ArrayBuffer> | undefined {
  const trimmed = text.trim();
  try {
    const bytes = /^[0-9a-f]{64}$/i.test(trimmed)
      ? Uint8Array.fromHex(trimmed)
      : Uint8Array.fromBase64(trimmed, {
        alphabet: /[-_]/.test(trimmed) ? "base64url" : "base64",
      });
    return bytes.length === KEY_BYTES ? bytes : undefined;
  } catch {
    return undefined;
  }
}
