/**
 * Bundles the program into a folder of minified modules, of which `main.js` is the first: `deno task bundle`, or with the
 * folder as the argument. They need Deno and nothing else.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { z } from "zod";
import { LIBRARY_PATH } from "../src/gateway/stream/native/join_library.ts";
import config from "../deno.json" with { type: "json" };
import { removeOutputFolder } from "./output_folder.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The module of threads, which no module imports, without its extension. */
export const THREAD = "src/gateway/stream/thread/stream_worker";

/** Reference to that module in the source. */
const THREAD_LITERAL = './stream_worker.ts"';

const ZOD_OPENAPI = "@hono/zod-openapi";

/** Module that stands for that package. */
const EXTENDED_ZOD = new URL("./extended_zod.ts", import.meta.url);

const mapSchema = z.object({ sources: z.array(z.string()) });

/** A bundle. */
export interface Bundle {
  /** Path of its first module. */
  readonly main: string;
  /** Size of all files in bytes. */
  readonly bytes: number;
}

/** Bundles the program into `folder`, and replaces an earlier bundle. @throws {Error} If that fails. */
export async function bundle(folder: string): Promise<Bundle> {
  await removeOutputFolder(folder, `${THREAD}.js`);
  await Deno.mkdir(folder, { recursive: true });
  await runBundler(folder);
  let bytes = 0;
  let threads = 0;
  for await (const path of listFiles(folder)) {
    const text = await Deno.readTextFile(path);
    const [patched, count] = patch(text);
    if (patched !== text) await Deno.writeTextFile(path, patched);
    bytes += (await Deno.stat(path)).size;
    threads += count;
  }
  if (threads !== 1) {
    throw new Error(
      `Cannot bundle: ${threads} modules start the thread, expected 1`,
    );
  }
  if (existsSync(LIBRARY_PATH)) {
    await Deno.copyFile(LIBRARY_PATH, join(folder, basename(LIBRARY_PATH)));
  }
  return { main: join(folder, "main.js"), bytes };
}

/** Lists the paths of all modules of which a bundle contains code. */
export async function bundleWithSources(): Promise<readonly string[]> {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-sources-" });
  try {
    await runBundler(folder, ["--sourcemap", "external"]);
    const sources = new Set<string>();
    for await (const path of listFiles(folder)) {
      if (!path.endsWith(".map")) continue;
      const map = mapSchema.parse(JSON.parse(await Deno.readTextFile(path)));
      for (const each of map.sources) sources.add(each);
    }
    return [...sources].sort();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function runBundler(
  folder: string,
  options: readonly string[] = [],
): Promise<void> {
  const imports = join(folder, "imports.json");
  const lock = join(folder, "deno.lock");
  await Deno.writeTextFile(imports, JSON.stringify(createImportMap()));
  await Deno.copyFile(join(ROOT, "deno.lock"), lock);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--platform", "deno", "--minify"],
      ...["--code-splitting", "--import-map", imports, "--lock", lock],
      // Parts of a library that are built for a machine, which it works without.
      ...["--external", "*.node", "--outdir", folder],
      ...options,
      ...["main.ts", `${THREAD}.ts`],
    ],
    cwd: ROOT,
  }).output();
  for (const file of [imports, lock]) await Deno.remove(file);
  if (!success) {
    throw new Error(`Cannot bundle: ${new TextDecoder().decode(stderr)}`);
  }
}

/** Returns the imports for the bundler. Versions are those of the lock file. */
function createImportMap() {
  const { imports } = config;
  return {
    imports: { ...imports, [ZOD_OPENAPI]: EXTENDED_ZOD.href },
    scopes: { [EXTENDED_ZOD.href]: { [ZOD_OPENAPI]: imports[ZOD_OPENAPI] } },
  };
}

/** Returns a module that finds its other files, and the number of threads that it starts. */
function patch(text: string): [patched: string, threads: number] {
  const parts = text.split(THREAD_LITERAL);
  const joined = parts.join(`./${THREAD}.js"`);
  // A library reads its files beside itself, which are not in the bundle and not needed.
  const usesDirname = /\b__dirname\b/.test(joined);
  const patched = usesDirname
    ? `const __dirname=import.meta.dirname;${joined}`
    : joined;
  return [patched, parts.length - 1];
}

/** Lists the paths of all files below a folder. */
export async function* listFiles(folder: string): AsyncIterable<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* listFiles(path);
    else yield path;
  }
}

if (import.meta.main) {
  const folder = resolve(Deno.args[0] ?? join(ROOT, "dist/bundle"));
  const { main, bytes } = await bundle(folder);
  // deno-lint-ignore no-console -- its output
  console.log(
    `${pathToFileURL(main).href}: ${(bytes / 1_000_000).toFixed(1)} MB`,
  );
}
