import assert from "node:assert/strict";
import { checkWithin } from "../../../src/cli/check/result.ts";

Deno.test("checkWithin() fails a check that times out or throws, and leaves no timer", async () => {
  const never = await checkWithin(20, "engine", () => new Promise(() => {}));
  assert.deepEqual(never, {
    name: "engine",
    status: "fail",
    detail: "No answer within 0.02 s",
  });
  const broken = await checkWithin(60_000, "engine", () => {
    throw new Error("It is broken");
  });
  assert.deepEqual([broken.status, broken.detail], ["fail", "It is broken"]);
  const good = await checkWithin(60_000, "engine", () => "It is there");
  assert.deepEqual([good.status, good.detail], ["ok", "It is there"]);
});
