/** The complete provider of docs/plugins.md, as a person would save it. */
import assert from "node:assert/strict";
import { join } from "node:path";

const PAGE = new URL("../../docs/plugins.md", import.meta.url);

/** the page's example, word for word. */
export async function providerSource(): Promise<string> {
  const text = await Deno.readTextFile(PAGE);
  const [, code] = /Save it as `own_command\.js`:\n\n```js\n([^]*?)```/.exec(
    text,
  ) ?? [];
  assert.ok(code, "docs/plugins.md has the provider");
  return code;
}

/** A folder with the page's example saved in it, which is removed at the end. */
export async function savedPlugin(): Promise<
  AsyncDisposable & { readonly folder: string; readonly file: string }
> {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-plugin-" });
  const file = join(folder, "own_command.js");
  await Deno.writeTextFile(file, await providerSource());
  return {
    folder,
    file,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
