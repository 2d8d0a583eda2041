import assert from "node:assert/strict";

const SOURCES = new URL("../../src/", import.meta.url);

/** Returns the paths of the TypeScript files in a folder and those below it. */
async function listFiles(folder: URL): Promise<readonly URL[]> {
  const files: URL[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) {
      files.push(...await listFiles(new URL(`${name}/`, folder)));
    } else if (/\.tsx?$/.test(name)) files.push(new URL(name, folder));
  }
  return files;
}

// The engine keeps the text of a module with two bytes for each character if one of them is not in Latin-1.
Deno.test("sources have only ASCII characters, so that their text needs half the memory", async () => {
  const files = await listFiles(SOURCES);
  const texts = await Promise.all(
    files.map(async (file) => [file, await Deno.readTextFile(file)] as const),
  );
  const others = texts.flatMap(([{ pathname }, text]) => {
    // deno-lint-ignore no-control-regex -- the range of ASCII begins with control characters
    const [found] = /[^\x00-\x7f]/.exec(text) ?? [];
    return found === undefined ? [] : [`${pathname}: ${found}`];
  });
  assert.ok(files.length > 100);
  assert.deepEqual(others, [], "expected an escape such as \\u2026 in a text");
});
