/**
 * Makes the npm package in a folder: `deno task npm`, or with the folder as the argument. `npm pack` makes a file of it.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { bundle } from "../bundle.ts";
import { removeOutputFolder } from "../output_folder.ts";
import { RUN_FLAGS } from "../run_flags.ts";
import { buildLibrary } from "./library.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Path of the program in the package. */
const WRAPPER = "bin/browsergrid.cjs";

const README = `# Browsergrid

A self-hosted grid for browser sessions.

\`\`\`sh
npx browsergrid serve --with-worker
\`\`\`

It then prints its address for Playwright, Puppeteer and other CDP clients. The
package contains the program, and depends on Deno, which runs it.
`;

/** Makes the package in `folder`, and replaces an earlier one. @throws {Error} If the folder has other files. */
export async function buildNpmPackage(folder: string): Promise<void> {
  await removeOutputFolder(folder, WRAPPER);
  await Deno.mkdir(join(folder, "bin"), { recursive: true });
  const wrapper = join(folder, WRAPPER);
  await Deno.copyFile(new URL("./browsergrid.cjs", import.meta.url), wrapper);
  await Deno.chmod(wrapper, 0o755);
  await writeJson(join(folder, "bin/flags.json"), RUN_FLAGS);
  await bundle(join(folder, "bundle"));
  const exports = await buildLibrary(join(folder, "library"), ROOT);
  await writeJson(join(folder, "package.json"), {
    name: config.name,
    version: config.version,
    description: "A self-hosted grid for browser sessions",
    keywords: ["browser", "cdp", "chromium", "grid", "playwright", "puppeteer"],
    license: config.license,
    type: "module",
    exports,
    bin: { browsergrid: WRAPPER },
    files: ["bin", "bundle", "library"],
    engines: { node: ">=18" },
    // The version that the package was tested with: the program uses parts of Deno that change.
    dependencies: { deno: Deno.version.deno },
  });
  await Deno.writeTextFile(join(folder, "README.md"), README);
  await Deno.copyFile(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
}

async function writeJson(path: string, value: object): Promise<void> {
  await Deno.writeTextFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

if (import.meta.main) {
  const folder = resolve(Deno.args[0] ?? join(ROOT, "dist/npm"));
  await buildNpmPackage(folder);
  // deno-lint-ignore no-console -- its output
  console.log(folder);
}
