/**
 * Settings of the program: defaults < configuration file < `BROWSERGRID_*` < flags.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { closest } from "fastest-levenshtein";
import { isNetwork } from "./client_address.ts";
import { settingType } from "./setting_type.ts";
import { addressOf, hasUser } from "./db/database_url.ts";

const PREFIX = "BROWSERGRID_";

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
  api_url: z.url({ protocol: /^https?$/ }).default("http://127.0.0.1:8765")
    .describe("Server that worker, pool and session talk to"),
  api_key: z.string().min(1).optional().describe(
    "The first key, an admin's; without it, and without an admin's key in the database, nobody is asked for one. What worker, pool, session and key show to the server",
  ),
  connect_token_seconds: seconds(1).default(600).describe(
    "How long the token in a connect_url may be used to connect; what is connected stays",
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
  trusted_proxies: jsonSetting(
    z.array(
      z.string().refine(
        isNetwork,
        'expected addresses or networks such as "10.0.0.0/8"',
      ),
    ),
  ).default([]).describe(
    'Proxies whose X-Forwarded-For is believed, such as ["10.0.0.0/8", "::1"]; by default the address of the connection counts',
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

/** What is given in one place: a file, the environment or flags. */
export type SettingsInput = Readonly<Record<string, unknown>>;

/** A setting that is missing, wrong or unknown. Its message says where it came from and what would be accepted. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** Where settings come from. */
export interface SettingsSources {
  /** Defaults that depend on the machine. */
  readonly defaults: SettingsInput;
  /** Content of the configuration file (JSON), and its path for messages. */
  readonly file?: { readonly path: string; readonly text: string };
  readonly env: Readonly<Record<string, string>>;
  readonly flags: SettingsInput;
}

/** Settings and what should be told about them. */
export interface LoadedSettings {
  readonly settings: Settings;
  readonly warnings: readonly string[];
  /** Where each setting comes from: `flag --port`, `variable BROWSERGRID_PORT`, `file browsergrid.json`, `default`. */
  readonly origins: Readonly<Record<string, string>>;
}

/**
 * Puts the sources together; later ones win.
 *
 * @throws {SettingsError} If a value is wrong, or a name in the file or the flags is unknown. An unknown variable is a warning only: it may belong to another version.
 */
export function loadSettings(sources: SettingsSources): LoadedSettings {
  const fromEnv = readEnv(sources.env);
  const merged = {
    ...sources.defaults,
    ...readFile(sources.file),
    ...fromEnv.values,
    ...defined(sources.flags),
  };
  const parsed = settingsSchema.safeParse(merged);
  if (parsed.success) {
    const origins = originsOf(sources);
    const settings = withAddress(parsed.data);
    return { settings, warnings: fromEnv.warnings, origins };
  }
  const lines = parsed.error.issues.map((issue) =>
    describeIssue(issue, sources)
  );
  throw new SettingsError(lines.join("\n"));
}

/**
 * The setting `plugins` alone: plugins are loaded before the command line is read, when other settings may still be
 * wrong or unknown.
 *
 * @throws {SettingsError} If its value is wrong.
 */
export function loadPluginNames(
  sources: Omit<SettingsSources, "defaults">,
): readonly string[] {
  const { plugins } = {
    ...readFile(sources.file),
    ...readEnv(sources.env).values,
    ...defined(sources.flags),
  };
  const parsed = settingsSchema.shape.plugins.safeParse(plugins);
  if (parsed.success) return parsed.data;
  throw new SettingsError(
    parsed.error.issues.map((issue) =>
      describeIssue({ ...issue, path: ["plugins", ...issue.path] }, {
        ...sources,
        defaults: {},
      })
    ).join("\n"),
  );
}

/** The settings with the database's token in the one place whose value is never shown. */
function withAddress(settings: Settings): Settings {
  const { database_url } = settings;
  if (database_url === undefined) return settings;
  const { url, authToken = settings.database_auth_token } = addressOf(
    database_url,
  );
  return { ...settings, database_url: url, database_auth_token: authToken };
}

/** Variable of a setting. */
export function variableOf(setting: string): string {
  return PREFIX + setting.toUpperCase();
}

/** One row of the settings table. */
export interface SettingRow {
  readonly name: string;
  readonly variable: string;
  readonly type: string;
  readonly default: string;
  readonly description: string;
}

/** All settings, for the README and `--help`. */
export function settingsTable(): readonly SettingRow[] {
  return Object.entries(settingsSchema.shape).map(([name, schema]) => ({
    name,
    variable: variableOf(name),
    type: settingType(schema),
    default: defaultOf(schema),
    description: schema.description ?? "",
  }));
}

function defaultOf(schema: z.ZodType): string {
  const parsed = schema.safeParse(undefined);
  if (!parsed.success || parsed.data === undefined) return "";
  return typeof parsed.data === "string"
    ? parsed.data
    : JSON.stringify(parsed.data);
}

function readEnv(env: Readonly<Record<string, string>>) {
  const values: Record<string, string> = {};
  const warnings: string[] = [];
  const names = Object.keys(settingsSchema.shape);
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || value === "") continue;
    const name = variable.slice(PREFIX.length).toLowerCase();
    if (names.includes(name)) values[name] = value;
    else warnings.push(unknownVariable(variable, names));
  }
  return { values, warnings };
}

function unknownVariable(variable: string, names: readonly string[]): string {
  const nearest = closest(variable, names.map(variableOf));
  return `Unknown variable ${variable} is ignored; the nearest known one is ${nearest}`;
}

function readFile(file: SettingsSources["file"]): SettingsInput {
  if (file === undefined) return {};
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(file.text));
  } catch (cause) {
    throw new SettingsError(
      `Cannot read settings from "${file.path}": expected a JSON object`,
      { cause },
    );
  }
}

function describeIssue(
  issue: z.core.$ZodIssue,
  sources: SettingsSources,
): string {
  if (issue.code === "unrecognized_keys") {
    const names = Object.keys(settingsSchema.shape);
    return issue.keys.map((key) =>
      `Cannot use setting "${key}": unknown, did you mean "${
        closest(key, names)
      }"?`
    ).join("\n");
  }
  const name = String(issue.path[0] ?? "");
  const path = issue.path.join(".");
  return `Cannot use setting "${path}" (${originOf(name, sources)}): ${
    isNoNumber(issue) ? `expected ${typeOf(name)}` : issue.message
  }`;
}

/** Whether it is that text is no number: that NaN was received would tell nobody what to write. */
function isNoNumber({ code, message, path }: z.core.$ZodIssue): boolean {
  return code === "invalid_type" && path.length === 1 &&
    message.endsWith("NaN");
}

function typeOf(name: string): string {
  return settingsTable().find((row) => row.name === name)?.type ?? "a number";
}

function originsOf(sources: SettingsSources): Record<string, string> {
  return Object.fromEntries(
    Object.keys(settingsSchema.shape).map((name) => [
      name,
      originOf(name, sources),
    ]),
  );
}

function originOf(name: string, sources: SettingsSources): string {
  if (sources.flags[name] !== undefined) {
    return `flag --${name.replaceAll("_", "-")}`;
  }
  if (sources.env[variableOf(name)]) return `variable ${variableOf(name)}`;
  const { file } = sources;
  return file && Object.hasOwn(readFile(file), name)
    ? `file ${file.path}`
    : "default";
}

function defined(flags: SettingsInput): SettingsInput {
  return Object.fromEntries(
    Object.entries(flags).filter(([, value]) => value !== undefined),
  );
}

/** A boolean that the environment writes as true, false, 1, 0, yes, no. */
function booleanSetting() {
  return z.union([z.boolean(), z.stringbool()]);
}

/** Names that the environment writes as a JSON list, or with commas between them. */
function listSetting() {
  return z.preprocess(
    (value) =>
      typeof value !== "string" || value.trim().startsWith("[")
        ? value
        : value.split(",").map((each) => each.trim()).filter(Boolean),
    jsonSetting(z.array(z.string().min(1))),
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
