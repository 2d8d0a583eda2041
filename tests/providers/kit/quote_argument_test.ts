import assert from "node:assert/strict";
import fc from "fast-check";
import { quoteArgument } from "../../../src/providers/kit/quote_argument.ts";

Deno.test("quoteArgument() keeps an argument of harmless characters", () => {
  for (const argument of ["--lang=de", "a/b:c,d@e", "100%"]) {
    assert.equal(quoteArgument(argument), argument);
  }
});

Deno.test("quoteArgument() passes every argument unchanged through a shell", async () => {
  const printable = fc.string({ unit: "grapheme" }).filter((text) =>
    !text.includes("\0")
  );
  await fc.assert(
    fc.asyncProperty(fc.array(printable, { maxLength: 5 }), async (all) => {
      const { stdout } = await new Deno.Command("sh", {
        args: ["-c", `printf '%s\\0' x ${all.map(quoteArgument).join(" ")}`],
      }).output();
      const words = new TextDecoder().decode(stdout).split("\0");
      assert.deepEqual(words.slice(0, -1), ["x", ...all]);
    }),
    { numRuns: 20 },
  );
});
