/**
 * Settings of the program: defaults < configuration file < `BROWSERGRID_*` < flags.
 *
 * @module
 */
import { z } from "zod";
import { parseDatabaseAddress } from "./network.ts";
import { findNearest, suggestNearest } from "./nearest.ts";
import { renderSettingType } from "./settings_schema.ts";
import { type Settings, settingsSchema } from "./settings_schema.ts";
import { PARSED_ONCE } from "./schema.ts";

export type { Settings } from "./settings_schema.ts";

const PREFIX = "BROWSERGRID_";

/** Variables of OpenTelemetry that every program reads, and their settings. Invalid ones are ignored. */
const STANDARD_VARIABLES: Readonly<
  Record<string, keyof typeof settingsSchema.shape>
> = {
  OTEL_EXPORTER_OTLP_ENDPOINT: "otlp_endpoint",
  OTEL_EXPORTER_OTLP_HEADERS: "otlp_headers",
  OTEL_SERVICE_NAME: "otlp_service_name",
};

/** Values of one source: a file, the environment or flags. */
export type SettingsInput = Readonly<Record<string, unknown>>;

/** A setting that is missing, invalid or unknown. Its message contains the source and what would be accepted. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** Sources of settings. */
export interface SettingsSources {
  /** Defaults that depend on the machine. */
  readonly defaults: SettingsInput;
  /** Content of the configuration file (JSON), and its path for messages. */
  readonly file?: { readonly path: string; readonly text: string };
  readonly env: Readonly<Record<string, string>>;
  readonly flags: SettingsInput;
}

/** Sources with the values of the file. */
interface ReadSources extends Omit<SettingsSources, "defaults"> {
  readonly inFile: SettingsInput;
}

/** Settings with their sources and warnings. */
export interface LoadedSettings {
  readonly settings: Settings;
  readonly warnings: readonly string[];
  /** Source of each setting: `flag --port`, `variable BROWSERGRID_PORT`, `file browsergrid.json`, `default`. */
  readonly origins: Readonly<Record<string, string>>;
}

/**
 * Merges the sources; later ones take precedence.
 *
 * @throws {SettingsError} If a value is invalid, or a name in the file or the flags is unknown. An unknown variable is
 * only a warning, because it may belong to another version.
 */
export function loadSettings(sources: SettingsSources): LoadedSettings {
  const fromEnv = readEnv(sources.env);
  const inFile = readFile(sources.file);
  const merged = {
    ...sources.defaults,
    ...inFile,
    ...fromEnv.values,
    ...defined(sources.flags),
  };
  const parsed = settingsSchema.safeParse(merged, PARSED_ONCE);
  if (parsed.success) {
    const origins = findOrigins({ ...sources, inFile });
    const settings = separateToken(parsed.data);
    return { settings, warnings: fromEnv.warnings, origins };
  }
  throw createSettingsError(parsed.error.issues, { ...sources, inFile });
}

/**
 * Returns only the setting `plugins`. Plugins are loaded before the command line is parsed, when other settings may
 * still be invalid or unknown.
 *
 * @throws {SettingsError} If its value is invalid.
 */
export function loadPluginNames(
  sources: Omit<SettingsSources, "defaults">,
): readonly string[] {
  const inFile = readFile(sources.file);
  const { plugins } = {
    ...inFile,
    ...readEnv(sources.env).values,
    ...defined(sources.flags),
  };
  const parsed = settingsSchema.shape.plugins.safeParse(plugins);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => ({
    ...issue,
    path: ["plugins", ...issue.path],
  }));
  throw createSettingsError(issues, { ...sources, inFile });
}

/** Moves the token in the URL of the database to its own setting, whose value is never shown. */
function separateToken(settings: Settings): Settings {
  const { database_url } = settings;
  if (database_url === undefined) return settings;
  const { url, authToken = settings.database_auth_token } =
    parseDatabaseAddress(
      database_url,
    );
  return { ...settings, database_url: url, database_auth_token: authToken };
}

/** Returns the environment variable of a setting. */
export function toVariable(setting: string): string {
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

/** All settings, for the documentation and `browsergrid settings`. */
export function listSettings(): readonly SettingRow[] {
  return Object.entries(settingsSchema.shape).map(([name, schema]) => ({
    name,
    variable: toVariable(name),
    type: renderSettingType(schema),
    default: renderDefault(schema),
    description: schema.description ?? "",
  }));
}

function renderDefault(schema: z.ZodType): string {
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
  for (const [variable, name] of Object.entries(STANDARD_VARIABLES)) {
    const value = env[variable];
    if (!value) continue;
    const parsed = settingsSchema.shape[name].safeParse(value);
    if (parsed.success) values[name] = value;
    else {
      warnings.push(
        `Variable ${variable} is ignored: ${parsed.error.issues[0]?.message}`,
      );
    }
  }
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || value === "") continue;
    const name = variable.slice(PREFIX.length).toLowerCase();
    if (names.includes(name)) values[name] = value;
    else warnings.push(unknownVariable(variable, names));
  }
  return { values, warnings };
}

function unknownVariable(variable: string, names: readonly string[]): string {
  const found = findNearest(variable, names.map(toVariable));
  const question = found === undefined ? "" : `, did you mean ${found}?`;
  return `Unknown variable ${variable} is ignored${question}`;
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

function createSettingsError(
  issues: readonly z.core.$ZodIssue[],
  sources: ReadSources,
): SettingsError {
  const lines = issues.map((issue) => describeIssue(issue, sources));
  return new SettingsError(lines.join("\n"));
}

function describeIssue(
  issue: z.core.$ZodIssue,
  sources: ReadSources,
): string {
  if (issue.code === "unrecognized_keys") {
    const names = Object.keys(settingsSchema.shape);
    return issue.keys.map((key) =>
      `Cannot use setting "${key}": unknown${
        suggestNearest(key, names) ||
        ', expected a setting that "browsergrid settings" lists'
      }`
    ).join("\n");
  }
  const name = String(issue.path[0] ?? "");
  const path = issue.path.join(".");
  return `Cannot use setting "${path}" (${findOrigin(name, sources)}): ${
    isNoNumber(issue) ? `expected ${renderType(name)}` : issue.message
  }`;
}

/** Reports whether text was given for a number. The message of zod, that NaN was received, would not help. */
function isNoNumber({ code, message, path }: z.core.$ZodIssue): boolean {
  return code === "invalid_type" && path.length === 1 &&
    message.endsWith("NaN");
}

function renderType(name: string): string {
  return listSettings().find((row) => row.name === name)?.type ?? "a number";
}

function findOrigins(sources: ReadSources): Record<string, string> {
  return Object.fromEntries(
    Object.keys(settingsSchema.shape).map((name) => [
      name,
      findOrigin(name, sources),
    ]),
  );
}

function findOrigin(name: string, sources: ReadSources): string {
  if (sources.flags[name] !== undefined) {
    return `flag --${name.replaceAll("_", "-")}`;
  }
  if (sources.env[toVariable(name)]) return `variable ${toVariable(name)}`;
  const [standard] = Object.entries(STANDARD_VARIABLES).find(
    ([variable, setting]) =>
      setting === name && sources.env[variable] &&
      settingsSchema.shape[setting].safeParse(sources.env[variable]).success,
  ) ?? [];
  if (standard !== undefined) return `variable ${standard}`;
  const { file, inFile } = sources;
  return file && Object.hasOwn(inFile, name) ? `file ${file.path}` : "default";
}

function defined(flags: SettingsInput): SettingsInput {
  return Object.fromEntries(
    Object.entries(flags).filter(([, value]) => value !== undefined),
  );
}
