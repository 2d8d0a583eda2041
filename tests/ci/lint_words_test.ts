// deno-lint-ignore-file words/plain-message -- samples of what is reported
import assert from "node:assert/strict";
import plugin from "../../.ci/lint_words.ts";

function findMessages(source: string): readonly string[] {
  return Deno.lint.runPlugin(plugin, "src/sample.ts", source)
    .map(({ id, message }) => `${id}: ${message}`);
}

Deno.test("a comment with a word that hides its meaning is reported with advice", () => {
  const [found = "", ...others] = findMessages(
    "/** Ends by itself. */\nexport const a = 1;",
  );
  assert.match(found, /^words\/plain-comment: .*"by itself": write "auto/);
  assert.deepEqual(others, []);
});

Deno.test("a word over two lines of a comment is reported", () => {
  const source = "/**\n * Waits for\n * ever.\n */\nexport const a = 1;";
  assert.match(findMessages(source).join(), /"for ever": write "indefinitely"/);
});

Deno.test("a docstring that begins with a question word is reported", () => {
  for (const word of ["What", "Whether", "Who", "Where", "How"]) {
    const source = `/** ${word} a worker holds. */\nexport const a = 1;`;
    assert.match(findMessages(source).join(), /a docstring states/, word);
  }
});

Deno.test("a message with such a word is reported, a single word and a name are not", () => {
  const source = 'log("nobody waits"); log(`it is ${a} told`); key("nobody");';
  assert.deepEqual(findMessages(source), [
    'words/plain-message: "nobody": write "no client", "no other process", "nothing"',
  ]);
});

Deno.test("a function named by a noun and Of is reported, in each form of a function", () => {
  const source = "function keyOf() {}\nconst ageOf = () => 1;\n" +
    "class A { nameOf() {} }\nconst part = listOf;";
  assert.deepEqual(
    findMessages(source).map((each) => /"(\w+)"/.exec(each)?.[1]),
    ["keyOf", "ageOf", "nameOf"],
  );
});

Deno.test("plain comments, messages and names pass", () => {
  const source = "/** Returns the oldest pending session of the pool. */\n" +
    'export function findOldest(pool: string) { throw new Error("Cannot find it"); }';
  assert.deepEqual(findMessages(source), []);
});
