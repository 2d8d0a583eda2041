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
}

/** Prints to the terminal. A reader that has gone (`| head`) is no failure. */
export const terminal: Output = {
  print: (line) => write(Deno.stdout, line),
  json: (value) => write(Deno.stdout, JSON.stringify(value, null, 2)),
  table: (head, rows) =>
    write(
      Deno.stdout,
      rows.length === 0 ? "Nothing to show" : tableText(
        head.map((name) => name.toUpperCase()),
        rows,
        terminalWidth(),
      ),
    ),
  progress: (line) => write(Deno.stderr, line),
  error: (line) => write(Deno.stderr, line),
};

function write(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  let rest = new TextEncoder().encode(`${text}\n`);
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
