import assert from "node:assert/strict";
import {
  flag,
  list,
  numberText,
  optionalText,
  text,
  wholeNumber,
} from "../../../src/cli/options/option_types.ts";

Deno.test("wholeNumber() accepts whole numbers above 0 and says what it expects", () => {
  const schema = wholeNumber();
  for (const accepted of ["1", "5", "1e3", "65536"]) {
    assert.equal(schema.parse(accepted), Number(accepted));
  }
  for (const rejected of ["0", "-1", "1.5", "", "many", "1 2", "NaN"]) {
    const { error } = schema.safeParse(rejected);
    assert.deepEqual(
      [...new Set(error?.issues.map(({ message }) => message))],
      ["expected a whole number above 0"],
      rejected,
    );
  }
});

Deno.test("numberText() leaves the range to the server, and text that is not a number becomes NaN", () => {
  const schema = numberText();
  assert.deepEqual(
    ["0", "-5", "1.5", "many"].map((each) => schema.parse(each)),
    [0, -5, 1.5, NaN],
  );
});

Deno.test("options are optional and keep their flags, descriptions and suggestions", () => {
  const options = [
    flag("--all", "every one"),
    text("--pool <pool>", "a pool", ["a"]),
    list("--label <label...>", "labels"),
    optionalText("--wait [seconds]", "wait", ["60"]),
  ];
  for (const option of options) {
    assert.equal(option.parse(undefined), undefined);
  }
  assert.deepEqual(options.map((option) => option.meta()), [
    { flags: "--all", description: "every one" },
    { flags: "--pool <pool>", description: "a pool", suggestions: ["a"] },
    {
      flags: "--label <label...>",
      description: "labels",
      suggestions: undefined,
    },
    { flags: "--wait [seconds]", description: "wait", suggestions: ["60"] },
  ]);
});

Deno.test("optionalText() is true without a value", () => {
  const schema = optionalText("--wait [seconds]", "wait");
  const values: readonly unknown[] = [true, "5"];
  assert.deepEqual(values.map((value) => schema.parse(value)), values);
});
