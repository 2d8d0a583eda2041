import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { BENCHMARKS } from "./benchmarks.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

Deno.test("an unknown name ends with code 2 and the list of names, and nothing is measured", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", MAIN, "gatewy", "visits"],
  }).output();
  assert.equal(code, 2);
  assert.equal(
    new TextDecoder().decode(stdout),
    `Unknown: gatewy; expected ${Object.keys(BENCHMARKS).join(", ")}\n`,
  );
});
