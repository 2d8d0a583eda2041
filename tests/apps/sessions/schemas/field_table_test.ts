import assert from "node:assert/strict";
import { describeSessionFields } from "../../../../src/apps/sessions/schemas/field_table.ts";
import { sessionInputSchema } from "../../../../src/apps/sessions/schemas.ts";

const rows = new Map(describeSessionFields().map((row) => [row.field, row]));

Deno.test("describeSessionFields() has a row for each member of the create body", () => {
  const settable = [...rows.values()].filter(({ creation }) => creation);
  assert.deepEqual(
    settable.map(({ field }) => field),
    Object.keys(sessionInputSchema.shape),
  );
});

Deno.test("describeSessionFields() names parameters, options, default and pool field of each field", () => {
  assert.deepEqual(rows.get("resource_limits"), {
    field: "resource_limits",
    type: "object: cpu, memory, timeout_minutes",
    default: "setting session_timeout_minutes",
    creation: true,
    connect: "cpu, memory, timeout_minutes",
    options: "--cpu <number>, --memory <size>, --timeout-minutes <number>",
    inherits: "default_resource_limits",
  });
  assert.deepEqual(rows.get("max_connections"), {
    field: "max_connections",
    type: "number",
    default: "1",
    creation: true,
    connect: "max_connections",
    options: "--max-connections <number>",
    inherits: "",
  });
  assert.equal(rows.get("environment")?.connect, "env.NAME");
  assert.equal(rows.get("labels")?.connect, "label");
});

Deno.test("describeSessionFields() describes keep_alive as a parameter of /v1/connect alone", () => {
  const row = rows.get("keep_alive_seconds");
  assert.deepEqual([row?.creation, row?.connect, row?.options], [
    false,
    "keep_alive",
    "",
  ]);
});
