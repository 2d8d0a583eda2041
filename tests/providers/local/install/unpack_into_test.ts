import assert from "node:assert/strict";
import { join } from "node:path";
import type { FoundBrowser } from "../../../../src/providers/local/find_browser.ts";
import { unpackInto } from "../../../../src/providers/local/install/unpack_into.ts";

/** Creates a folder of browsers. Disposal removes it. */
async function openFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

async function listNames(path: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(path));
  return entries.map(({ name }) => name);
}

/** Unpacks a folder with a file in it, named `chrome`. */
function unpackText(folder: string, text: string) {
  const path = join(folder, "chrome", "text");
  return unpackInto(folder, {
    name: "chrome",
    async unpack(fresh) {
      await Deno.writeTextFile(join(fresh, "text"), text);
      return fresh;
    },
    async find(): Promise<FoundBrowser | undefined> {
      const isThere = await Deno.stat(path).then(() => true, () => false);
      return isThere
        ? { path, source: "test", headlessOnly: false }
        : undefined;
    },
  });
}

Deno.test("unpackInto() replaces an incomplete browser, and keeps a complete one", async () => {
  await using test = await openFolder();
  await Deno.mkdir(join(test.path, "chrome", "half"), { recursive: true });
  for (const text of ["first", "second"]) {
    const browser = await unpackText(test.path, text);
    assert.equal(await Deno.readTextFile(browser?.path ?? ""), "first");
    assert.deepEqual(await listNames(test.path), ["chrome"]);
  }
});

Deno.test("unpackInto() removes the folders of killed workers, and keeps those of running ones", async () => {
  await using test = await openFolder();
  for (const name of ["unpacking_old", "unpacking_now"]) {
    await Deno.mkdir(join(test.path, name));
  }
  await Deno.utime(join(test.path, "unpacking_old"), 0, 0);
  await unpackText(test.path, "text");
  assert.deepEqual([...await listNames(test.path)].sort(), [
    "chrome",
    "unpacking_now",
  ]);
});
