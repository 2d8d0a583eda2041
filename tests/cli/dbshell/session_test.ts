import assert from "node:assert/strict";
import { createClient } from "@libsql/client";
import { SqlSession } from "../../../src/cli/dbshell/session.ts";
import { runDotCommand } from "../../../src/cli/dbshell/dot_commands.ts";
import { silent } from "../../support/silent_output.ts";

/** A session over a database in memory, with what it prints. */
class Scene implements Disposable {
  readonly client = createClient({ url: ":memory:" });
  readonly printed: string[] = [];
  readonly notes: string[] = [];
  readonly values: unknown[] = [];
  readonly output = {
    ...silent,
    print: (line: string) => void this.printed.push(line),
    json: (value: unknown) => void this.values.push(value),
    progress: (line: string) => void this.notes.push(line),
  };
  readonly session: SqlSession;

  constructor({ json }: { readonly json: boolean }) {
    this.session = new SqlSession(this.client, { output: this.output, json });
  }

  async run(...statements: readonly string[]): Promise<void> {
    for (const sql of statements) await this.session.run(sql);
  }

  dot(line: string): Promise<boolean> {
    const { client, session, output } = this;
    return runDotCommand(line, { client, session, output });
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

Deno.test("SqlSession prints rows as a table, and counts rows that are read or changed", async () => {
  using scene = new Scene({ json: false });
  await scene.run(
    "CREATE TABLE t (a, b)",
    "INSERT INTO t VALUES (1, 'x'), (2, 'line\nbreak')",
    "SELECT a, b FROM t ORDER BY a",
    "SELECT a FROM t WHERE a > 5",
  );
  assert.deepEqual(scene.printed, [
    "a  b\n-  -\n1  x\n2  line\\nbreak",
  ]);
  assert.deepEqual(scene.notes.map((note) => note.replace(/\d+ ms/, "N ms")), [
    "0 rows changed (N ms)",
    "2 rows changed (N ms)",
    "2 rows (N ms)",
    "0 rows (N ms)",
  ]);
});

Deno.test("SqlSession prints records as JSON, with blobs in hexadecimal and NULL as null", async () => {
  using scene = new Scene({ json: true });
  await scene.run(
    "CREATE TABLE t (a, b)",
    "INSERT INTO t VALUES (NULL, x'00ff')",
    "SELECT a, b, 1.5 AS c FROM t",
  );
  assert.deepEqual(scene.values, [
    { rows_affected: 0 },
    { rows_affected: 1 },
    [{ a: null, b: "00ff", c: 1.5 }],
  ]);
});

Deno.test("SqlSession collects statements from BEGIN to COMMIT, and drops them at ROLLBACK", async () => {
  using scene = new Scene({ json: true });
  await scene.run("CREATE TABLE t (a UNIQUE)");
  for (const begin of ["BEGIN", "begin transaction", "BEGIN IMMEDIATE"]) {
    await scene.run(begin, "INSERT INTO t VALUES (1)");
    assert.ok(scene.session.isCollecting, begin);
    await scene.run("ROLLBACK");
    assert.ok(!scene.session.isCollecting);
  }
  await scene.run("BEGIN", "INSERT INTO t VALUES (1)", "END TRANSACTION");
  await assert.rejects(
    scene.run(
      "BEGIN",
      "INSERT INTO t VALUES (2)",
      "INSERT INTO t VALUES (1)",
      "COMMIT",
    ),
    /UNIQUE/,
  );
  assert.ok(!scene.session.isCollecting);
  await scene.run("SELECT a FROM t");
  assert.deepEqual(scene.values.at(-1), [{ a: 1 }]);
});

Deno.test("SqlSession rejects savepoints, which end with their statement", async () => {
  using scene = new Scene({ json: true });
  for (const sql of ["SAVEPOINT a", "release a"]) {
    await assert.rejects(scene.run(sql), /expected BEGIN and COMMIT/);
  }
});

Deno.test("runDotCommand() prints tables, schemas and help, also between BEGIN and COMMIT", async () => {
  using scene = new Scene({ json: false });
  await scene.run(
    "CREATE TABLE b (x)",
    "CREATE TABLE a (y)",
    "CREATE INDEX a_y ON a (y)",
    "CREATE VIEW v AS SELECT 1",
    "BEGIN",
  );
  assert.ok(await scene.dot(".tables"));
  assert.deepEqual(scene.printed, ["name\n----\na\nb\nv"]);
  assert.ok(await scene.dot("  .schema a  "));
  assert.deepEqual(scene.printed.slice(1), [
    "CREATE TABLE a (y);",
    "CREATE INDEX a_y ON a (y);",
  ]);
  assert.ok(await scene.dot(".help"));
  assert.match(scene.printed.at(-1) ?? "", /^\.tables +list the tables/);
  assert.ok(scene.session.isCollecting);
});

Deno.test("runDotCommand() ends the shell at .quit, and rejects what it does not know", async () => {
  using scene = new Scene({ json: false });
  assert.ok(!await scene.dot(".quit"));
  assert.ok(!await scene.dot(".exit"));
  await assert.rejects(scene.dot(".schema x"), /Cannot show table "x"/);
  await assert.rejects(scene.dot(".table"), /expected \.tables, \.schema/);
});
