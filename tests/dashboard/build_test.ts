import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { buildDashboard } from "../../.ci/dashboard.ts";

const ASSETS = new URL("../../src/dashboard/assets/", import.meta.url);

/** Largest size of all files, compressed. */
const MAX_BYTES = 120_000;

Deno.test("the dashboard in the program is built from its source, small, and of ASCII characters", async () => {
  let bytes = 0;
  for (const [name, built] of Object.entries(await buildDashboard())) {
    const committed = await Deno.readTextFile(new URL(name, ASSETS));
    assert.ok(
      committed === built,
      `${name} differs from its source, expected the result of "deno task dashboard"`,
    );
    // deno-lint-ignore no-control-regex -- the range of ASCII begins with control characters
    assert.equal(/[^\x00-\x7f]/.exec(built)?.[0], undefined, name);
    bytes += gzipSync(built).length;
  }
  assert.ok(bytes <= MAX_BYTES, `${bytes} bytes, expected ${MAX_BYTES}`);
});
