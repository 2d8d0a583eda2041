import assert from "node:assert/strict";
import { cli } from "../../support/cli.ts";
import { startHranaServer } from "../../support/hrana_server.ts";
import { runWithInput } from "../../support/run_with_input.ts";

async function withFolder(
  act: (at: readonly string[]) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    const at = ["--data-dir", dir];
    assert.equal((await cli("createdb", ...at)).code, 0);
    await act(at);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("dbshell runs several statements and prints rows, changed rows and duration", () =>
  withFolder(async (at) => {
    const sql = `CREATE TABLE t (a, b);
      INSERT INTO t VALUES (1, 'x;y'), (NULL, x'00ff');
      SELECT a, b FROM t`;
    const { code, out, err } = await cli("dbshell", "-c", sql, ...at);
    assert.equal(code, 0, err);
    assert.equal(out, "a     b\n-     -\n1     x;y\nNULL  x'00ff'");
    assert.match(err, /2 rows changed \(\d+ ms\)\n2 rows \(\d+ ms\)$/);
  }));

Deno.test("dbshell --json prints one list of records per query", () =>
  withFolder(async (at) => {
    const sql = "SELECT 1 AS one, NULL AS none; SELECT 'a' AS t LIMIT 0";
    const { out } = await cli("dbshell", "--json", "-c", sql, ...at);
    assert.equal(out, '[{"one":1,"none":null}]\n[]');
  }));

Deno.test("dbshell prints the tables and their schemas", () =>
  withFolder(async (at) => {
    const tables = await cli("dbshell", "-c", ".tables", ...at);
    assert.match(tables.out, /^sessions$/m);
    const schema = await cli("dbshell", "-c", ".schema grid", ...at);
    assert.match(schema.out, /^CREATE TABLE [`"]?grid/);
    assert.doesNotMatch(schema.out, /sessions/);
    const wrong = await cli("dbshell", "-c", ".schema nothing", ...at);
    assert.deepEqual([wrong.code, /"nothing"/.test(wrong.err)], [1, true]);
  }));

Deno.test("dbshell runs the statements between BEGIN and COMMIT as one transaction", () =>
  withFolder(async (at) => {
    const count = "SELECT count(*) AS n FROM t";
    const run = (sql: string) => cli("dbshell", "--json", "-c", sql, ...at);
    await run("CREATE TABLE t (a UNIQUE)");
    await run("BEGIN; INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); END");
    const broken = await run(
      "BEGIN; INSERT INTO t VALUES (3); INSERT INTO t VALUES (1); COMMIT",
    );
    assert.equal(broken.code, 1);
    await run("BEGIN; DELETE FROM t; ROLLBACK");
    const looked = await run("BEGIN;\n.tables\nROLLBACK");
    assert.match(looked.out, /"name":"t"/);
    const open = await run("BEGIN; DELETE FROM t");
    assert.match(open.err, /BEGIN has no COMMIT, so nothing after it was run/);
    assert.equal((await run(count)).out, '[{"n":2}]');
  }));

Deno.test("dbshell ends a script with 1 at the first error, and runs nothing after it", () =>
  withFolder(async (at) => {
    const input = `CREATE TABLE t (a);
INSERT INTO t
VALUES (1);
.tables
SELEC 1;
INSERT INTO t VALUES (2);`;
    const { code, stdout, stderr } = await runWithInput(
      ["dbshell", ...at],
      input,
    );
    assert.equal(code, 1);
    assert.match(stdout, /^sessions$/m);
    assert.match(stderr, /^error: .*SELEC/m);
    const left = await cli("dbshell", "--json", "-c", "SELECT a FROM t", ...at);
    assert.equal(left.out, '[{"a":1}]');
  }));

Deno.test("dbshell does not create a database", async () => {
  const dir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    const { code, err } = await cli(
      ...["dbshell", "-c", "SELECT 1", "--data-dir", dir],
    );
    assert.equal(code, 1);
    assert.match(
      err,
      /it does not exist, expected one created by "browsergrid cr/,
    );
    assert.deepEqual(await Array.fromAsync(Deno.readDir(dir)), []);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("dbshell runs on a remote database, with one request per transaction", async () => {
  await using server = await startHranaServer();
  const run = (sql: string) =>
    cli("dbshell", "--json", "-c", sql, "--database-url", server.url);
  const made = await run(
    "BEGIN; CREATE TABLE t (a); INSERT INTO t VALUES (7); SELECT a FROM t; COMMIT",
  );
  assert.equal(made.code, 0, made.err);
  assert.match(made.out, /\[\{"a":7\}\]$/);
  assert.equal(server.requests.length, 1);
  assert.equal((await run("SELECT a FROM t")).out, '[{"a":7}]');
  assert.equal((await run("SELEC")).code, 1);
});
