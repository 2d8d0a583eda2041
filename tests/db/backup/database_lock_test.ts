import assert from "node:assert/strict";
import { join } from "node:path";
import { lockDatabase } from "../../../src/db/backup/database_lock.ts";

Deno.test("lockDatabase() excludes a restore while programs use the database, also under the name of a link", async () => {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    const path = join(folder, "a.db");
    await Deno.writeTextFile(path, "");
    await Deno.symlink(path, join(folder, "link.db"));
    const exclusive = () => lockDatabase(path, { isExclusive: true });
    {
      using first = lockDatabase(path, { isExclusive: false });
      using second = lockDatabase(join(folder, "link.db"), {
        isExclusive: false,
      });
      assert.ok(first?.isHeld && second?.isHeld);
      assert.equal(exclusive(), undefined);
    }
    using restore = exclusive();
    assert.ok(restore?.isHeld);
    assert.ok(!lockDatabase(path, { isExclusive: false }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("lockDatabase() lets the program continue where no lock file can be", () => {
  using lock = lockDatabase("/proc/a.db", { isExclusive: false });
  assert.ok(lock && !lock.isHeld);
});
