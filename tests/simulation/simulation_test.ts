import assert from "node:assert/strict";
import { simulate } from "./simulation.ts";

/** Sessions that are asked for in one run. */
const SESSIONS = 700;

for (const seed of [1, 2, 3]) {
  Deno.test(`every invariant holds through the faults of seed ${seed}`, async () => {
    const { accepted, faults } = await simulate({ seed, sessions: SESSIONS });
    assert.ok(accepted > SESSIONS / 4, `only ${accepted} were accepted`);
    assert.ok(faults.size > 5, `only ${[...faults.keys()]} were injected`);
  });
}

Deno.test("a seed has one history", async () => {
  const run = () => simulate({ seed: 4, sessions: 100 });
  const { digest, ...once } = await run();
  assert.deepEqual({ digest, ...once }, await run());
});
