import assert from "node:assert/strict";
import { join } from "node:path";
import { local } from "../../../src/providers/local/provider.ts";
import { browserSpec } from "../../support/browser_spec.ts";

const NEVER = new AbortController().signal;

Deno.test("revision() changes when the program is replaced, also behind an unchanged link", async () => {
  const dataDir = await Deno.makeTempDir();
  try {
    const [link, old, other] = ["browser", "old", "other"].map((name) =>
      join(dataDir, name)
    );
    assert.ok(link && old && other);
    for (const path of [old, other]) {
      await Deno.writeTextFile(path, "#!/bin/sh\n", { mode: 0o755 });
      await Deno.utime(path, 1, 1);
    }
    await Deno.symlink(old, link);
    await using host = await local.open(
      local.configSchema.parse({ executable_path: link }),
      { gridId: "grid-1", workerId: "worker-1", dataDir },
    );
    const revision = () => host.revision?.(browserSpec(), NEVER);
    const first = await revision();
    assert.equal(await revision(), first);
    await Deno.utime(old, 2, 2);
    const second = await revision();
    assert.notEqual(second, first);
    await Deno.remove(link);
    await Deno.symlink(other, link);
    assert.notEqual(await revision(), first);
    await Deno.remove(other);
    await assert.rejects(async () => await revision());
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
