import assert from "node:assert/strict";
import { isReadOnly } from "../../src/db/is_read_only.ts";

Deno.test("isReadOnly() is true for statements that certainly only read", () => {
  for (
    const sql of [
      "SELECT 1",
      "\n  select * from a",
      "-- why\n/* and\nhow */ SELECT 1",
      "VALUES (1)",
      "EXPLAIN QUERY PLAN DELETE FROM a",
      "WITH b AS (SELECT 1) SELECT * FROM b",
    ]
  ) assert.ok(isReadOnly(sql), sql);
});

Deno.test("isReadOnly() is false for statements that write or may write", () => {
  for (
    const sql of [
      "INSERT INTO a SELECT 1",
      "UPDATE a SET x = 1 RETURNING x",
      "DELETE FROM a",
      "REPLACE INTO a VALUES (1)",
      "/* SELECT */ DELETE FROM a",
      "-- SELECT 1",
      "WITH b AS (SELECT 1) DELETE FROM a",
      "WITH b AS (SELECT 1)\nINSERT INTO a SELECT * FROM b",
      "CREATE TABLE selects (x)",
      "PRAGMA journal_mode = WAL",
      "selected",
      "",
    ]
  ) assert.ok(!isReadOnly(sql), sql);
});
