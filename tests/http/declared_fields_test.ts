import assert from "node:assert/strict";
import { pickPart } from "../../src/http/declared_fields.ts";

const fields = {
  name: { schema: "text", example: "a" },
  limit: { schema: "number", default: null },
} as const;

Deno.test("pickPart() returns the part of each field that has it, even if its value is null", () => {
  assert.deepEqual(pickPart(fields, "schema"), {
    name: "text",
    limit: "number",
  });
  assert.deepEqual(pickPart(fields, "default"), { limit: null });
  assert.deepEqual(pickPart(fields, "example"), { name: "a" });
});
