import {
  configure,
  configureSync,
  getConfig,
  getConsoleSink,
  getLogger,
  getTextFormatter,
  jsonLinesFormatter,
  type Logger,
  type LogRecord,
  reset,
  type TextFormatter,
} from "@logtape/logtape";
import { lruTouch } from "../async/lru.ts";
import { unwrapQueryError } from "./errors.ts";
import { redactKeys } from "./redact.ts";
import type { Settings } from "./settings.ts";
import { truncate } from "./text.ts";
import { findTraceId } from "./trace/trace_context.ts";
import { escapeJson, escapeText } from "./text.ts";

/** Names of properties whose values are never logged. */
const SECRET =
  /(api_?key|encryption_keys?|authorization|password|secret|^token$|auth_token|environment)$/i;

/** Maximum length of one logged value. */
const MAX_LOGGED = 10_000;

/** Maximum number of stack lines that are logged. */
const MAX_FRAMES = 20;

/** Number of sessions whose trace ids are known. */
const MAX_TRACES = 10_000;

/** Trace ids by session. */
const traces = new Map<string, string>();

/** Settings of the log. */
export type LogSettings =
  & Pick<Settings, "log_level" | "log_format">
  & Partial<Pick<Settings, "log_levels">>;

/** Returns the logger of a part: `createLogger("worker", "claim_loop")`. */
export function createLogger(room: string, part: string): Logger {
  return getLogger(["browsergrid", room, part]);
}

/** Adds the trace id to the log lines of a session from now on. @param traceparent Stored header of the session. */
export function noteTrace(
  sessionId: string,
  traceparent: string | null | undefined,
): void {
  const id = findTraceId(traceparent);
  if (id !== undefined) lruTouch(traces, [sessionId, id], MAX_TRACES);
}

/** Sends logs to stderr, because stdout belongs to the output of commands. */
export async function configureLog(
  { log_format, ...levels }: LogSettings,
): Promise<AsyncDisposable> {
  const format = formatter(log_format);
  const encoder = new TextEncoder();
  await configure({
    reset: true,
    sinks: {
      stderr: (record) => writeLine(encoder.encode(format(redact(record)))),
    },
    loggers: loggersTo("stderr", levels),
  });
  return { [Symbol.asyncDispose]: () => reset() };
}

/** Writes a line. Drops it if the terminal is closed or the disk is full. */
function writeLine(bytes: Uint8Array): void {
  try {
    Deno.stderr.writeSync(bytes);
  } catch {
    // The program continues without its log.
  }
}

/** Sends logs to the console, for platforms that collect its output. A second call does nothing. */
export function configureConsoleLog(
  { log_format, ...levels }: LogSettings,
): void {
  if (getConfig() !== null) return;
  const sink = getConsoleSink({ formatter: formatter(log_format) });
  configureSync({
    sinks: { console: (record) => sink(redact(record)) },
    loggers: loggersTo("console", levels),
  });
}

function formatter(format: Settings["log_format"]): TextFormatter {
  if (format === "json") {
    return (record) =>
      escapeJson(
        withIds(
          record,
          jsonLinesFormatter({
            ...record,
            message: [joinMessage(record.message)],
          }),
        ),
      );
  }
  const text = getTextFormatter({
    timestamp: "time",
    category: formatCategory,
    // Words without quotation marks around them.
    value: (value, inspect) =>
      typeof value === "string" ? value : inspect(value),
  });
  return (record) => {
    const { stack } = record.properties;
    const frames = typeof stack === "string" ? `${stack}\n` : "";
    return escapeText(text(record) + frames);
  };
}

/** Adds the ids of trace and session as members of the line, where collectors of logs look for them. */
function withIds({ properties }: LogRecord, line: string): string {
  const { trace_id, session_id } = properties;
  const ids = JSON.stringify({ trace_id, session_id });
  return ids === "{}" ? line : `${ids.slice(0, -1)},${line.slice(1)}`;
}

/** Joins a message without quotation marks around its values, which are also in the properties. */
function joinMessage(message: readonly unknown[]): string {
  return message.map(String).join("");
}

function loggersTo<S extends string>(
  sink: S,
  { log_level, log_levels = {} }: Omit<LogSettings, "log_format">,
) {
  return [
    { category: "browsergrid", lowestLevel: log_level, sinks: [sink] },
    ...Object.entries(log_levels).map(([part, lowestLevel]) => ({
      category: ["browsergrid", ...part.split(".")],
      lowestLevel,
      sinks: [sink],
      // The general level would apply as well.
      parentSinks: "override" as const,
    })),
    {
      category: ["logtape", "meta"],
      lowestLevel: "warning" as const,
      sinks: [sink],
    },
  ];
}

function formatCategory(category: readonly string[]): string {
  return category.slice(1).join(".");
}

/** Returns the record without secrets in its properties and message, and with errors as text. */
function redact(record: LogRecord): LogRecord {
  const entries = Object.entries(record.properties);
  const secrets = new Set(
    entries.flatMap(([name, value]) => SECRET.test(name) ? [value] : []),
  );
  const properties = entries.map(([name, value]) => [
    name,
    SECRET.test(name) ? "\u2026" : describeValue(value),
  ]);
  const [thrown] = record.level === "error"
    ? entries.flatMap(([, value]) => value instanceof Error ? [value] : [])
    : [];
  if (thrown) properties.push(["stack", renderFrames(thrown)]);
  const { session_id, trace_id = traces.get(String(session_id)) } =
    record.properties;
  if (trace_id !== undefined) properties.push(["trace_id", trace_id]);
  return {
    ...record,
    // Every second part is a value.
    message: record.message.map((part) =>
      secrets.has(part) ? "\u2026" : describeValue(part)
    ),
    properties: Object.fromEntries(properties),
  };
}

function describeValue(value: unknown): unknown {
  if (value instanceof Error) return describeError(value);
  return typeof value === "string" ? loggable(value) : value;
}

/** Redacts secrets in a text, then truncates it. The other order could leave an unrecognizable part of a key. */
function loggable(text: string): string {
  return truncate(redactKeys(text), MAX_LOGGED);
}

/** Returns the stack lines of an error without its message, which may contain bound values of a query. */
function renderFrames(thrown: Error): string {
  const error = unwrapQueryError(thrown);
  const stack = error instanceof Error ? error.stack ?? "" : "";
  return redactKeys(
    stack.split("\n").filter((line) => /^\s+at /.test(line))
      .slice(0, MAX_FRAMES).join("\n"),
  );
}

/** Returns the text of an error with its causes, without bound values of queries. */
export function describeError(thrown: unknown): string {
  const error = unwrapQueryError(thrown);
  if (!(error instanceof Error)) return loggable(String(error));
  const cause = error.cause === undefined
    ? ""
    : ` (because: ${describeError(error.cause)})`;
  return loggable(`${error.name}: ${error.message}${cause}`);
}

/** Returns only the message of an error, for people who can act on it. */
export function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
