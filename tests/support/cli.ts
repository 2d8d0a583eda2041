import type { Output } from "../../src/cli/output.ts";
import { run } from "../../src/cli/program.ts";

/** Result of a command line. */
export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process and keeps what it prints. Tables are printed as JSON `{ head, rows }`. */
export async function cli(...args: readonly string[]): Promise<CliResult> {
  const out: string[] = [];
  const err: string[] = [];
  const output: Output = {
    print: (line) => void out.push(line),
    json: (value) => void out.push(JSON.stringify(value)),
    table: (head, rows) => void out.push(JSON.stringify({ head, rows })),
    progress: (line) => void err.push(line),
    error: (line) => void err.push(line),
    bytes: (data) => void out.push(new TextDecoder().decode(data)),
    isTerminal: false,
  };
  const code = await run(args, output);
  return { code, out: out.join("\n"), err: err.join("\n") };
}
