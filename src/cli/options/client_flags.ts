import type { Command } from "@commander-js/extra-typings";
import type { CommonFlags } from "../config.ts";
import type { Output } from "../output.ts";

/** Flags of every command that talks to a server. */
export interface ClientFlags extends CommonFlags {
  readonly apiUrl?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly json?: boolean | undefined;
}

/** The options of every command that talks to a server. */
export function withClientOptions(command: Command): Command {
  command
    .option("--api-url <url>", "the server (http://127.0.0.1:8765)")
    .option(
      "--api-key <key>",
      "key of the server; BROWSERGRID_API_KEY does not show in the list of processes",
    )
    .option("--config <file>", "configuration file (browsergrid.json)")
    .option("--json", "print JSON")
    .option("--debug", "show where an error came from");
  return command;
}

/** An answer as it is, or as a table of its members. */
export function showRecord(
  record: Readonly<Record<string, unknown>>,
  json: unknown,
  output: Output,
): void {
  if (json) return output.json(record);
  const rows = Object.entries(record).filter(([, value]) =>
    value !== null && value !== ""
  ).map(([name, value]) => [
    name,
    typeof value === "object" ? JSON.stringify(value) : String(value),
  ]);
  output.table(["field", "value"], rows);
}

/** A moment in a list: to the second. */
export function shortTime(time: string): string {
  return `${time.slice(0, 19)}Z`;
}
