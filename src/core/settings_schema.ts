import { parseKey } from "./redact.ts";
import { hasUser } from "./network.ts";
import { z } from "zod";
import { isHostEntry, isNetwork } from "./network.ts";
import { LOCAL_SANDBOX } from "./provider.ts";

const LOG_LEVELS = ["debug", "info", "warning", "error"] as const;

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
    "Port that the server listens on; 0 selects a free port",
  ),
  public_url: z.url({ protocol: /^https?$/ }).refine((url) => !hasUser(url), {
    error:
      "expected no user or password in it, because every client receives it",
  }).optional().describe(
    "URL under which clients reach the server, if it is not http://host:port",
  ),
  replica_url: z.url({ protocol: /^https?$/ }).refine(
    (url) => !hasUser(url),
    { error: "expected no user or password in it" },
  ).optional().describe(
    "URL under which the other servers of the grid reach this one, if it is not http://ADDRESS:port. Needed only with several servers and workers behind NAT",
  ),
  database_url: z.string().regex(
    /^(:memory:$|file:|(libsql|https?):\/\/)/,
    "expected file:PATH, :memory: or a URL such as libsql://HOST",
  ).refine((url) => !hasUser(url), {
    error:
      "expected no user or password in it, but a token in database_auth_token",
  }).optional().describe(
    "Database: file:PATH, :memory:, libsql://HOST, https://HOST or http://HOST. By default a file in data_dir",
  ),
  database_auth_token: z.string().optional().describe(
    "Token of a remote database. It may also be in its URL, as ?authToken=",
  ),
  migrate: booleanSetting().default(() => true).describe(
    "Migrate the database when serve starts",
  ),
  data_dir: z.string().min(1).describe(
    "Folder for the database, browsers and the state of workers",
  ),
  local_sandbox: z.enum(LOCAL_SANDBOX).default("auto").describe(
    "Selects the sessions of local browsers that are isolated from files and network of their host, on Linux with bubblewrap and socat: auto those of client keys and of pools that limit egress, require all, off none. A session that cannot be isolated does not start",
  ),
  api_url: z.url({ protocol: /^https?$/ }).default("http://127.0.0.1:8765")
    .describe("URL of the server for the commands worker, pool and session"),
  api_key: z.string().min(1).optional().describe(
    "Admin API key. If neither this nor an admin key in the database is set, authentication is off. The commands worker, pool, session and key send it to the server",
  ),
  connect_token_seconds: seconds(1).default(600).describe(
    "Lifetime of the token in a connect_url. Open connections outlive it",
  ),
  encryption_key: encryptionKey().optional().describe(
    "Key that encrypts secrets in the database, 32 random bytes in hex or base64, such as from `openssl rand -hex 32`. By default it is in the file encryption.key of data_dir, created at the first start. Required with a remote database; all its servers need the same key",
  ),
  previous_encryption_keys: listSetting(encryptionKey()).default([]).describe(
    "Earlier values of encryption_key. The next start of serve encrypts their secrets with the current key",
  ),
  live_view: booleanSetting().default(() => true).describe(
    "Let people watch and control browsers in the live view, and create links to it",
  ),
  live_view_frame_ancestors: listSetting(
    z.string().max(300).regex(
      // It becomes a part of a Content-Security-Policy.
      /^https?:\/\/(\*\.)?([a-z0-9_-]+\.)*[a-z0-9_-]+(:\d{1,5})?$|^https?:\/\/\[[0-9a-f:.]+\](:\d{1,5})?$/i,
      "expected an origin such as https://app.example or https://*.app.example",
    ),
  ).default([]).describe(
    "Origins whose pages may embed the page of a link to the live view in a frame, such as https://app.example or https://*.app.example. By default no page may",
  ),
  websocket_ping_seconds: seconds(0).max(3_600).refine(
    (value) => value === 0 || value >= 1,
    "expected 0, or at least 1",
  ).default(20).describe(
    "Idle time in both directions after which a client's WebSocket is pinged, so that HTTP proxies do not close it; 0 disables pings",
  ),
  native_join: z.enum(["auto", "off"]).default("auto").describe(
    "Copying of clients' bytes by a library without JavaScript: auto if it is built and can be loaded, off never",
  ),
  apps: listSetting().optional().describe(
    "Installed apps, in order. By default all built-in apps, then the apps of plugins",
  ),
  plugins: listSetting().default([]).describe(
    "Modules with apps, middleware and providers: paths, npm:NAME@VERSION or packages in node_modules",
  ),
  app_options: jsonSetting(
    z.record(z.string(), z.record(z.string(), z.unknown())),
  ).default({}).describe("Options of apps, by the name of the app"),
  middleware: jsonSetting(z.array(middlewareEntrySchema)).optional().describe(
    "Changes to the order, options or use of middleware, each { name, enabled, options }. Middleware that is not named keeps its place and its defaults",
  ),
  log_level: z.enum(LOG_LEVELS).default("info")
    .describe("Minimum level that is logged"),
  log_levels: logLevelsSetting().default({}).describe(
    "Minimum levels of parts instead of log_level, such as gateway=debug,http.server=warning. A log line names its part",
  ),
  log_format: z.enum(["text", "json"]).default("text").describe(
    "Format of log lines",
  ),
  metrics_open: booleanSetting().default(() => false).describe(
    "Accept requests to GET /metrics without a key, under the host names of requests without a key",
  ),
  otlp_endpoint: z.url({ protocol: /^https?$/ }).refine(
    (url) => !hasUser(url) && !url.includes("?"),
    {
      error:
        "expected no user, password or query in it, but a header in otlp_headers",
    },
  ).optional().describe(
    "URL of an OpenTelemetry collector that receives the spans of traces by OTLP over HTTP in JSON, such as http://127.0.0.1:4318. Without it no span is sent. OTEL_EXPORTER_OTLP_ENDPOINT does the same",
  ),
  otlp_headers: headersSetting().default({}).describe(
    "Headers of requests to the collector, such as authorization=Bearer%20KEY, separated by commas, with percent-encoded values. OTEL_EXPORTER_OTLP_HEADERS does the same",
  ),
  otlp_service_name: z.string().min(1).max(200).default("browsergrid").describe(
    "Name of this process in traces. OTEL_SERVICE_NAME does the same",
  ),
  trace_sample_ratio: z.coerce.number().min(0).max(1).default(1).describe(
    "Share of the sessions requested without traceparent whose traces are sent, from 0 to 1. A traceparent decides for itself",
  ),
  lease_seconds: seconds(3).default(30).describe(
    "Time that a worker may hold a session without a heartbeat",
  ),
  heartbeat_seconds: seconds(1).default(10).describe(
    "Interval of a worker's heartbeats",
  ),
  metrics_seconds: seconds(0).refine(
    (value) => value === 0 || value >= 1,
    "expected 0, or at least 1",
  ).default(15).describe(
    "Interval at which workers measure their hosts and the browsers of their sessions; 0 disables it. Measurements older than an hour are kept as one a minute",
  ),
  queue_timeout_seconds: seconds(1).default(300).describe(
    "Time that a session may wait for a worker before it fails",
  ),
  start_timeout_seconds: seconds(1).default(120).describe(
    "Time that a browser may take to start before the session fails",
  ),
  session_timeout_minutes: z.coerce.number().gt(0).default(60).describe(
    "Maximum lifetime of a session if neither the session nor its pool specifies one",
  ),
  max_start_attempts: count(1).default(3).describe(
    "Maximum number of times that a session is queued again because its worker was lost during its start",
  ),
  server_grace_seconds: seconds(0).default(120).describe(
    "Additional time after its lease that a worker keeps running browsers while the server is known to be unavailable",
  ),
  drain_timeout_seconds: seconds(0).default(3_600).describe(
    "Time that the sessions of a draining worker may continue",
  ),
  scale_down_seconds: seconds(0).default(300).describe(
    "Time that a pool must have more workers than it needs before the server drains them, if it has started their machines",
  ),
  retention_hours: z.coerce.number().gt(0).default(24 * 7).describe(
    "Time that ended sessions are kept",
  ),
  event_retention_days: z.coerce.number().gt(0).default(7).describe(
    "Time that events are kept. Events of a session are kept at least as long as the session",
  ),
  webhook_allowed_networks: listSetting(networkSchema()).default([]).describe(
    "Addresses and networks that are not public and that webhooks may be sent to, such as 10.1.0.0/16. By default webhooks are sent to public addresses only",
  ),
  webhook_allowed_ports: listSetting(z.string().regex(/^\d{1,5}$/)).default([])
    .describe(
      "Ports that webhooks may be sent to. By default 80, 443 and those from 1024 on",
    ),
  webhook_allow_http: booleanSetting().default(() => false).describe(
    "Accept webhooks with an http URL, whose bodies and headers are sent without encryption",
  ),
  shutdown_seconds: seconds(0).max(9).default(8).describe(
    "Time that a stopping server waits for requests and browsers to end",
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
    "Additional host names and addresses of requests without a key, such as grid.example or *.grid.example; * for all. Loopback, host, public_url, replica_url and api_url are always allowed. Requests with a key may use any name",
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

/** Validated settings. */
export type Settings = z.infer<typeof settingsSchema>;

function networkSchema() {
  return z.string().refine(
    isNetwork,
    'expected addresses or networks such as "10.0.0.0/8"',
  );
}

/** Schema of a boolean, which the environment writes as true, false, 1, 0, yes or no. */
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

/** Schema of HTTP headers, which the environment writes as JSON or as NAME=VALUE separated by commas, percent-encoded. */
function headersSetting() {
  return z.preprocess(
    (value) =>
      typeof value !== "string" || value.trim().startsWith("{")
        ? value
        : Object.fromEntries(
          value.split(",").filter((each) => each.trim() !== "").map((each) => {
            const [name = "", ...rest] = each.split("=");
            return [name.trim(), decodeHeader(rest.join("=").trim())];
          }),
        ),
    jsonSetting(
      z.record(
        z.string().regex(
          /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/,
          "expected NAME=VALUE with the name of a header",
        ),
        z.string().regex(
          /^[\x20-\x7e]*$/,
          "expected visible ASCII characters",
        ),
      ),
    ),
  );
}

function decodeHeader(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Schema of levels by part, which the environment writes as JSON or as PART=LEVEL separated by commas. */
function logLevelsSetting() {
  return z.preprocess(
    (value) =>
      typeof value !== "string" || value.trim().startsWith("{")
        ? value
        : Object.fromEntries(
          value.split(",").filter((each) => each.trim() !== "").map((each) =>
            each.split("=").map((side) => side.trim())
          ),
        ),
    jsonSetting(
      z.record(
        z.string().regex(
          /^[a-z0-9_]+(\.[a-z0-9_]+)*$/,
          "expected a part such as gateway or http.server",
        ),
        z.enum(LOG_LEVELS, {
          error: `expected PART=LEVEL, with one of ${LOG_LEVELS.join(", ")}`,
        }),
      ),
    ),
  );
}

/** Schema of a value that the environment writes as JSON. */
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

/** Describes the values of `schema` for people: `whole number, 0-65535`, `true or false`, `one of text, json`. */
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

/** Describes the limits of a number: `, 1 to 10`, ` above 0`. */
export function renderLimits(
  { minimum, maximum, exclusiveMinimum }: z.core.JSONSchema.BaseSchema,
): string {
  // Every whole number is below this maximum.
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}`;
  if (minimum === undefined) return most === undefined ? "" : `, to ${most}`;
  return most === undefined ? `, from ${minimum}` : `, ${minimum} to ${most}`;
}
