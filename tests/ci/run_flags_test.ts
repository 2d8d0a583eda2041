import assert from "node:assert/strict";
import { RUN_FLAGS, START_FLAGS } from "../../.ci/run_flags.ts";
import config from "../../deno.json" with { type: "json" };

Deno.test("every way to run the program has the flags of a start", () => {
  const { start, browsergrid, dev } = config.tasks;
  for (const { command } of [start, browsergrid, dev]) {
    for (const flag of START_FLAGS) {
      assert.ok(command.split(" ").includes(flag), command);
    }
  }
  for (const flag of START_FLAGS) assert.ok(RUN_FLAGS.includes(flag));
});
