import assert from "node:assert/strict";
import { printRecord, renderSeconds } from "../../src/cli/print_record.ts";
import { silent } from "../support/silent_output.ts";

Deno.test("printRecord() prints a table of the members that have a value, or the whole record as JSON", async () => {
  const printed: unknown[] = [];
  const output = {
    ...silent,
    json: (value: unknown) => void printed.push(value),
    table: (head: readonly string[], rows: readonly (readonly string[])[]) =>
      void printed.push([head, ...rows]),
  };
  const record = {
    id: "1",
    count: 0,
    ok: false,
    labels: { a: "b" },
    note: "",
    ended_at: null,
  };
  await printRecord(record, {}, output);
  await printRecord(record, { json: true }, output);
  assert.deepEqual(printed, [
    [
      ["field", "value"],
      ["id", "1"],
      ["count", "0"],
      ["ok", "false"],
      ["labels", '{"a":"b"}'],
    ],
    record,
  ]);
});

Deno.test("renderSeconds() omits the fraction of a second", () => {
  assert.equal(
    renderSeconds("2026-11-29T18:00:00.123Z"),
    "2026-11-29T18:00:00Z",
  );
});
