import type { Output } from "./output.ts";

/** Prints a record of the server, as JSON or as a table of its members. */
export async function printRecord(
  record: Readonly<Record<string, unknown>>,
  { json }: { readonly json?: boolean | undefined },
  output: Output,
): Promise<void> {
  if (json) return output.json(record);
  const rows = Object.entries(record).filter(([, value]) =>
    value !== null && value !== ""
  ).map(([name, value]) => [
    name,
    typeof value === "object" ? JSON.stringify(value) : String(value),
  ]);
  await output.table(["field", "value"], rows);
}

/** Renders an ISO time without its fraction of a second. */
export function renderSeconds(time: string): string {
  return `${time.slice(0, 19)}Z`;
}
