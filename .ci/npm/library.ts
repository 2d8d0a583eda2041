/**
 * The modules `browsergrid/client` and `browsergrid/plugin` of the npm package, for Node and for bundlers.
 *
 * @module
 */
import { basename, join } from "node:path";
import ts from "typescript";
import { buildTypes } from "./types.ts";

/** Names that the package exports, and their modules. */
const MODULES = {
  "./client": "src/client/client.ts",
  "./plugin": "src/plugin/plugin.ts",
} as const;

/** Writes the modules with their declarations into a folder of the package. Returns the package's `exports`. */
export async function buildLibrary(
  folder: string,
  root: string,
): Promise<Readonly<Record<string, { types: string; default: string }>>> {
  const entries = Object.values(MODULES);
  await buildTypes(folder, { root, entries });
  for (const path of entries) {
    const module = join(folder, path.replace(/^src|\.ts$/g, "") + ".js");
    await bundleModule(join(root, path), module);
  }
  return Object.fromEntries(
    Object.entries(MODULES).map(([name, path]) => {
      const stem = path.replace(/^src|\.ts$/g, "");
      const at = `./${basename(folder)}${stem}`;
      return [name, { types: `${at}.d.ts`, default: `${at}.js` }];
    }),
  );
}

/** Bundles a module into one file, in the syntax of Node 18. */
async function bundleModule(source: string, output: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--platform", "deno", "--minify"],
      ...["--external", "*.node", "--output", output, source],
    ],
  }).output();
  if (!success) {
    throw new Error(`Cannot bundle: ${new TextDecoder().decode(stderr)}`);
  }
  const { outputText } = ts.transpileModule(await Deno.readTextFile(output), {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
    },
  });
  await Deno.writeTextFile(output, outputText);
}
