import assert from "node:assert/strict";
import { z } from "@hono/zod-openapi";
import {
  createRowRenderer,
  toCamelCase,
  toColumns,
} from "../../src/http/wire_form.ts";

const render = createRowRenderer(z.object({
  id: z.string(),
  worker_id: z.string().nullable(),
  created_at: z.iso.datetime(),
  idle_since: z.iso.datetime().nullable(),
  tags: z.array(z.string()),
}));

Deno.test("createRowRenderer() renders the members of the schema and no other column", () => {
  const row = {
    id: "one",
    workerId: null,
    createdAt: 1_700_000_000_123,
    idleSince: null,
    tags: ["a"],
    proxy: "a secret",
  };
  assert.deepEqual(render(row), {
    id: "one",
    worker_id: null,
    created_at: "2023-11-14T22:13:20.123Z",
    idle_since: null,
    tags: ["a"],
  });
});

Deno.test("toCamelCase() joins the words of a name", () => {
  assert.equal(toCamelCase("idle_timeout_seconds"), "idleTimeoutSeconds");
  assert.equal(toCamelCase("id"), "id");
});

Deno.test("toColumns() renames the members of a request and keeps their values", () => {
  const input = { name: "a", max_queue: 0, default_screen: null };
  assert.deepEqual(toColumns(input), {
    name: "a",
    maxQueue: 0,
    defaultScreen: null,
  });
});
