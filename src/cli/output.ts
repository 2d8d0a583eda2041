import { escapeJson, escapeText } from "../core/text.ts";

/**
 * The output of a command: data goes to stdout, everything else to stderr. Nothing else writes to either.
 *
 * Text may come from outside. Characters that control a terminal are escaped everywhere except in `bytes`.
 */
export interface Output {
  /** A line of the result. */
  print(line: string): void;
  /** Data for programs. */
  json(value: unknown): void;
  /**
   * Prints a table, or a line if there are no rows.
   *
   * @param optional Columns that a narrow terminal omits, in the order in which they are dropped.
   */
  table(
    head: readonly string[],
    rows: readonly (readonly string[])[],
    optional?: readonly string[],
  ): void | Promise<void>;
  /** A step of a command that is waiting. */
  progress(line: string): void;
  error(line: string): void;
  /** Binary data, unchanged. */
  bytes(data: Uint8Array): void;
  /** True if stdout is a terminal. */
  readonly isTerminal: boolean;
  /** True once nothing reads stdout any more, such as after `| head`. A command without an end stops then. */
  readonly isReaderGone?: boolean;
}

/** Colours, as codes of ECMA-48 SGR. */
const STYLES = { bold: [1, 22], red: [31, 39], yellow: [33, 39] } as const;

/** True after a write to stdout has failed because its reader is gone. */
let hasLostReader = false;

/** Prints to the terminal. A reader that has gone (`| head`, a closed terminal) is not an error. */
export const terminal: Output = {
  print: (line) => writeLine(Deno.stdout, escapeText(line)),
  json: (value) =>
    writeLine(Deno.stdout, escapeJson(JSON.stringify(value, null, 2))),
  async table(head, rows, optional = []) {
    if (rows.length === 0) return writeLine(Deno.stdout, "Nothing to show");
    // Most commands print no table.
    const { renderTable } = await import("./table.ts");
    const table = renderTable(
      head.map((name) => name.toUpperCase()),
      rows.map((row) => row.map(escapeText)),
      { width: terminalWidth(), optional },
    );
    writeLine(Deno.stdout, withStyledHead(table));
  },
  progress: (line) => writeLine(Deno.stderr, escapeText(line)),
  error: (line) => writeLine(Deno.stderr, withStyledStart(escapeText(line))),
  bytes: (data) => write(Deno.stdout, data),
  get isTerminal() {
    return Deno.stdout.isTerminal();
  },
  get isReaderGone() {
    return hasLostReader;
  },
};

interface Stream {
  writeSync(bytes: Uint8Array): number;
  isTerminal(): boolean;
}

function writeLine(stream: Stream, text: string): void {
  write(stream, new TextEncoder().encode(`${text}\n`));
}

function write(stream: Stream, bytes: Uint8Array): void {
  let rest = bytes;
  try {
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
  } catch (error) {
    if (!isReaderGone(error)) throw error;
    hasLostReader ||= stream === Deno.stdout;
  }
}

/** Reports whether the reader of the output is gone: a pipe's reader has ended, or the terminal is closed. */
function isReaderGone(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    error instanceof Error && "code" in error && error.code === "EIO";
}

function withStyledHead(table: string): string {
  const [head = "", ...lines] = table.split("\n");
  return [styled(Deno.stdout, "bold", head), ...lines].join("\n");
}

/** Styles the word that names the kind of the line. */
function withStyledStart(line: string): string {
  return line.replace(
    /^(error|warning):/i,
    (word) => styled(Deno.stderr, /^e/i.test(word) ? "red" : "yellow", word),
  );
}

/**
 * Returns the text in a style, if the output is a terminal and colours are on. @see {@link https://no-color.org
 * NO_COLOR}
 */
function styled(
  stream: Stream,
  style: keyof typeof STYLES,
  text: string,
): string {
  if (Deno.noColor || !stream.isTerminal()) return text;
  const [on, off] = STYLES[style];
  return `\x1b[${on}m${text}\x1b[${off}m`;
}

/** Returns the number of columns of the terminal. Output that a program reads is never cut. */
function terminalWidth(): number {
  return Deno.stdout.isTerminal() ? Deno.consoleSize().columns : Infinity;
}
