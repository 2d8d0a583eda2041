import Table from "cli-table3";

/** What a command prints with: data on stdout, everything else on stderr. The only place that writes there. */
export interface Output {
  /** A line of the result. */
  print(line: string): void;
  /** Data for programs. */
  json(value: unknown): void;
  /** A table for people; nothing to show is said so. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): void;
  /** What is being done while something is awaited. */
  progress(line: string): void;
  error(line: string): void;
  /** Data that is no line of text, as it is. */
  bytes(data: Uint8Array): void;
  /** Whether it is a person who reads what is printed. */
  readonly isTerminal: boolean;
}

/** Prints to the terminal. A reader that has gone (`| head`) is no failure. */
export const terminal: Output = {
  print: (line) => writeLine(Deno.stdout, line),
  json: (value) => writeLine(Deno.stdout, JSON.stringify(value, null, 2)),
  table: (head, rows) =>
    writeLine(
      Deno.stdout,
      rows.length === 0 ? "Nothing to show" : tableText(
        head.map((name) => name.toUpperCase()),
        rows,
        terminalWidth(),
      ),
    ),
  progress: (line) => writeLine(Deno.stderr, line),
  error: (line) => writeLine(Deno.stderr, line),
  bytes: (data) => write(Deno.stdout, data),
  get isTerminal() {
    return Deno.stdout.isTerminal();
  },
};

interface Stream {
  writeSync(bytes: Uint8Array): number;
}

function writeLine(stream: Stream, text: string): void {
  write(stream, new TextEncoder().encode(`${text}\n`));
}

function write(stream: Stream, bytes: Uint8Array): void {
  let rest = bytes;
  try {
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

const NO_LINES = {
  "top": "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  "bottom": "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  "left": "",
  "left-mid": "",
  "mid": "",
  "mid-mid": "",
  "right": "",
  "right-mid": "",
  "middle": "  ",
};

/** The narrowest that a last column is broken to. */
const LEAST_COLUMNS = 20;

/** Lines of a table, its head as it is. A last column that does not fit into `width` is broken between words. */
export function tableText(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width = Infinity,
): string {
  const widths = head.map((name, at) =>
    Math.max(...[name, ...rows.map((row) => row[at] ?? "")].map(widthOf))
  );
  const before = widths.slice(0, -1).reduce((sum, each) => sum + each + 2, 0);
  const room = Math.max(width - before, LEAST_COLUMNS);
  const last = Math.min(widths.at(-1) ?? 0, room);
  const table = new Table({
    head: [...head],
    chars: NO_LINES,
    colWidths: [...widths.slice(0, -1), last],
    wordWrap: true,
    wrapOnWordBoundary: true,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString().split("\n").map((line) => line.trimEnd()).join("\n");
}

/** The longest line's. */
function widthOf(text: string): number {
  return Math.max(...text.split("\n").map((line) => line.length));
}

/** Columns of the terminal; what is read by a program is never broken. */
function terminalWidth(): number {
  return Deno.stdout.isTerminal() ? Deno.consoleSize().columns : Infinity;
}
