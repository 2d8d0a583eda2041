import assert from "node:assert/strict";
import { cli } from "../../support/cli.ts";

Deno.test("migrate, createdb and status report the migrations of a database", async () => {
  const dir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    const at = ["--data-dir", dir];
    const before = await cli("migrate", "status", "--json", ...at);
    assert.equal(JSON.parse(before.out)[0].appliedAt, undefined);
    assert.match((await cli("createdb", ...at)).out, /^Applied to .*0000/);
    assert.match((await cli("migrate", ...at)).out, /is up to date$/);
    const after = await cli("migrate", "status", "--json", ...at);
    assert.ok(JSON.parse(after.out)[0].appliedAt > 0);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
