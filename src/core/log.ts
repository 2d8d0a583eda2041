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
import { unwrapQueryError } from "./errors.ts";
import { redactKeys } from "./redact.ts";
import type { Settings } from "./settings.ts";
import { truncate } from "./text.ts";
import { escapeJson, escapeText } from "./text.ts";

/** Names of properties whose values are never logged, wherever they come from. */
const SECRET =
  /(api_?key|encryption_keys?|authorization|password|secret|^token$|auth_token|environment)$/i;

/** Maximum length of one logged value. */
const MAX_LOGGED = 10_000;

/** Maximum number of stack lines that are logged. */
const MAX_FRAMES = 20;

/** Logger of a part: `createLogger("worker", "claim_loop")`. */
export function createLogger(room: string, part: string): Logger {
  return getLogger(["browsergrid", room, part]);
}

/** Sends logs to stderr, so that stdout is left to what a command prints. */
export async function configureLog(
  { log_level, log_format }: Pick<Settings, "log_level" | "log_format">,
): Promise<AsyncDisposable> {
  const format = formatter(log_format);
  const encoder = new TextEncoder();
  await configure({
    reset: true,
    sinks: {
      stderr: (record) => writeLine(encoder.encode(format(redact(record)))),
    },
    loggers: loggersTo("stderr", log_level),
  });
  return { [Symbol.asyncDispose]: () => reset() };
}

/** Drops the line if it cannot be written: the terminal is closed, or the disk is full. */
function writeLine(bytes: Uint8Array): void {
  try {
    Deno.stderr.writeSync(bytes);
  } catch {
    // The program continues without its log.
  }
}

/** Sends logs to the console, on platforms that collect what is written there. Does nothing the second time. */
export function configureConsoleLog(
  { log_level, log_format }: Pick<Settings, "log_level" | "log_format">,
): void {
  if (getConfig() !== null) return;
  const sink = getConsoleSink({ formatter: formatter(log_format) });
  configureSync({
    sinks: { console: (record) => sink(redact(record)) },
    loggers: loggersTo("console", log_level),
  });
}

function formatter(format: Settings["log_format"]): TextFormatter {
  if (format === "json") {
    return (record) =>
      escapeJson(
        jsonLinesFormatter({
          ...record,
          message: [joinMessage(record.message)],
        }),
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

/** The message as one text, without quotation marks around its words: the values stand in the properties as well. */
function joinMessage(message: readonly unknown[]): string {
  return message.map(String).join("");
}

function loggersTo<S extends string>(sink: S, level: Settings["log_level"]) {
  return [
    { category: "browsergrid", lowestLevel: level, sinks: [sink] },
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

/** The record without what is secret, in its properties and where they stand in its message; errors as text. */
function redact(record: LogRecord): LogRecord {
  const entries = Object.entries(record.properties);
  const secrets = new Set(
    entries.flatMap(([name, value]) => SECRET.test(name) ? [value] : []),
  );
  const properties = entries.map(([name, value]) => [
    name,
    SECRET.test(name) ? "…" : describeValue(value),
  ]);
  const [thrown] = record.level === "error"
    ? entries.flatMap(([, value]) => value instanceof Error ? [value] : [])
    : [];
  if (thrown) properties.push(["stack", renderFrames(thrown)]);
  return {
    ...record,
    // Every second part of it is a value.
    message: record.message.map((part) =>
      secrets.has(part) ? "…" : describeValue(part)
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

/** An error's text with its causes, without what a query bound. */
export function describeError(thrown: unknown): string {
  const error = unwrapQueryError(thrown);
  if (!(error instanceof Error)) return loggable(String(error));
  const cause = error.cause === undefined
    ? ""
    : ` (because: ${describeError(error.cause)})`;
  return loggable(`${error.name}: ${error.message}${cause}`);
}

/** An error's message alone, for people who can do something about it. */
export function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
