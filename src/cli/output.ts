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
      rows.length === 0 ? "Nothing to show" : tableText(head, rows),
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

function tableText(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const table = new Table({
    head: head.map((name) => name.toUpperCase()),
    chars: NO_LINES,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString().split("\n").map((line) => line.trimEnd()).join("\n");
}
