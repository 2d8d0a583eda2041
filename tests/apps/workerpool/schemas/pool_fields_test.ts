import assert from "node:assert/strict";
import { getTableColumns } from "drizzle-orm";
import { workPools } from "../../../../src/apps/workerpool/models.ts";
import { poolInputSchema } from "../../../../src/apps/workerpool/schemas.ts";
import {
  type PoolField,
  poolFields,
} from "../../../../src/apps/workerpool/schemas/pool_fields.ts";
import { toCamelCase } from "../../../../src/http/wire_form.ts";

const fields = Object.entries<PoolField>(poolFields);

Deno.test("every pool field has a column with the same name", () => {
  const columns = getTableColumns(workPools);
  const missing = fields.map(([name]) => name).filter((name) =>
    !(toCamelCase(name) in columns)
  );
  assert.deepEqual(missing, []);
});

Deno.test("the default and the example of every pool field are valid", () => {
  for (const [name, field] of fields) {
    for (const part of ["default", "example"] as const) {
      if (!(part in field)) continue;
      const { success } = field.schema.safeParse(field[part]);
      assert.ok(success, `${part} of ${name}`);
    }
  }
});

Deno.test("a new pool keeps the descriptions of its fields", () => {
  for (const [name, { schema }] of fields) {
    const { shape } = poolInputSchema;
    const [, input] = Object.entries(shape).find(([key]) => key === name) ?? [];
    assert.equal(input?.description, schema.description, name);
  }
});

Deno.test("every option of a pool field has a description or a help text", () => {
  const silent = fields.filter(([, { option, schema }]) =>
    option && !option.help && !schema.description
  );
  assert.deepEqual(silent.map(([name]) => name), []);
});
