import { visibleJson, visibleText } from "../core/visible_text.ts";
import { tableText } from "./table.ts";

/**
 * What a command prints with: data on stdout, everything else on stderr. The only place that writes there.
 *
 * Text may come from anywhere: what a terminal would obey is made visible in all of it, but for `bytes`.
 */
export interface Output {
  /** A line of the result. */
  print(line: string): void;
  /** Data for programs. */
  json(value: unknown): void;
  /** A table for people; nothing to show is said so. @param optional Columns that a narrow terminal goes without, the first one first. */
  table(
    head: readonly string[],
    rows: readonly (readonly string[])[],
    optional?: readonly string[],
  ): void;
  /** What is being done while something is awaited. */
  progress(line: string): void;
  error(line: string): void;
  /** Data that is no line of text, as it is. */
  bytes(data: Uint8Array): void;
  /** Whether it is a person who reads what is printed. */
  readonly isTerminal: boolean;
}

/** Colours, by the numbers of ECMA-48's SGR. */
const STYLES = { bold: [1, 22], red: [31, 39], yellow: [33, 39] } as const;

/** Prints to the terminal. A reader that has gone (`| head`, a closed terminal) is no failure. */
export const terminal: Output = {
  print: (line) => writeLine(Deno.stdout, visibleText(line)),
  json: (value) =>
    writeLine(Deno.stdout, visibleJson(JSON.stringify(value, null, 2))),
  table: (head, rows, optional = []) =>
    writeLine(
      Deno.stdout,
      rows.length === 0 ? "Nothing to show" : withStyledHead(tableText(
        head.map((name) => name.toUpperCase()),
        rows.map((row) => row.map(visibleText)),
        { width: terminalWidth(), optional },
      )),
    ),
  progress: (line) => writeLine(Deno.stderr, visibleText(line)),
  error: (line) => writeLine(Deno.stderr, withStyledStart(visibleText(line))),
  bytes: (data) => write(Deno.stdout, data),
  get isTerminal() {
    return Deno.stdout.isTerminal();
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
  }
}

/** Reports whether nobody can read any more: a pipe's reader has ended, or the terminal is closed. */
function isReaderGone(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    error instanceof Error && "code" in error && error.code === "EIO";
}

function withStyledHead(table: string): string {
  const [head = "", ...lines] = table.split("\n");
  return [styled(Deno.stdout, "bold", head), ...lines].join("\n");
}

/** The word that says what kind of line it is stands out. */
function withStyledStart(line: string): string {
  return line.replace(
    /^(error|warning):/i,
    (word) => styled(Deno.stderr, /^e/i.test(word) ? "red" : "yellow", word),
  );
}

/** The text in a style, where it can be seen and is wanted. @see {@link https://no-color.org NO_COLOR} */
function styled(
  stream: Stream,
  style: keyof typeof STYLES,
  text: string,
): string {
  if (Deno.noColor || !stream.isTerminal()) return text;
  const [on, off] = STYLES[style];
  return `\x1b[${on}m${text}\x1b[${off}m`;
}

/** Columns of the terminal; what is read by a program is never cut. */
function terminalWidth(): number {
  return Deno.stdout.isTerminal() ? Deno.consoleSize().columns : Infinity;
}
