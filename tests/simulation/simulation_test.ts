import assert from "node:assert/strict";
import { simulate } from "./simulation.ts";

/** Sessions that are asked for in one run. */
const SESSIONS = 700;

const MAIN = new URL("main.ts", import.meta.url).href;

/** Timeout of a program that runs a short simulation. */
const PROGRAM_MS = 60_000;

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

Deno.test("the simulation's program ends after its run", async () => {
  const program = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", MAIN, "--seed", "5", "--sessions", "50"],
    stdout: "piped",
    signal: AbortSignal.timeout(PROGRAM_MS),
  });
  const { success, stdout } = await program.output();
  assert.ok(success);
  assert.match(new TextDecoder().decode(stdout), /^seed 5: .* 0 leaked/);
});
