/**
 * Compiles the bundle of the program to one file: `deno task compile`, or with the path of the file as the argument, and
 * with `--target` for another system.
 *
 * ```text
 * x86_64-unknown-linux-gnu   aarch64-unknown-linux-gnu   x86_64-apple-darwin   aarch64-apple-darwin
 * x86_64-pc-windows-msvc
 * ```
 *
 * With `--from-source` the source is compiled, because the bundler is experimental: the file is larger, and starts slower.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import config from "../deno.json" with { type: "json" };
import { LIBRARY_PATH } from "../src/gateway/stream/native/join_library.ts";
import { bundle, listFiles, THREAD } from "./bundle.ts";
import { BUNDLE_FLAGS } from "./run_flags.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** With it, `deno compile` leaves out every module of the source that is loaded on demand. */
const LAZY_IMPORTS = "lazy-dynamic-imports";

/** Options of {@linkcode compileBundle}. */
export interface CompileOptions {
  readonly output: string;
  /** Target of `deno compile`. @default this machine */
  readonly target?: string | undefined;
}

/** Result of `deno compile`. */
export interface Compiled {
  readonly success: boolean;
  /** Its output. */
  readonly text: string;
}

/** Compiles the bundle in a folder. The file depends on the bundle and on its own name only. */
export async function compileBundle(
  folder: string,
  options: CompileOptions,
): Promise<Compiled> {
  // The file contains the times.
  for await (const path of listFiles(folder)) await Deno.utime(path, 0, 0);
  // Also the modules that are loaded on demand.
  const args = [...BUNDLE_FLAGS, "--include", ".", "main.js"];
  return await compile(folder, args, options);
}

async function compileSource(
  folder: string,
  options: CompileOptions,
): Promise<Compiled> {
  const configFile = join(folder, "deno.json");
  const unstable = config.unstable.filter((each) => each !== LAZY_IMPORTS);
  await Deno.writeTextFile(
    configFile,
    JSON.stringify({ ...config, unstable }),
  );
  const library = relative(ROOT, LIBRARY_PATH);
  const args = [
    ...["--config", configFile, "--lock", "deno.lock", "--exclude-unused-npm"],
    ...["--include", `${THREAD}.ts`],
    ...(existsSync(LIBRARY_PATH) ? ["--include", library] : []),
    "main.ts",
  ];
  return await compile(ROOT, args, options);
}

/** Compiles in a folder. @param args Options, and the first module. */
async function compile(
  cwd: string,
  args: readonly string[],
  { output, target }: CompileOptions,
): Promise<Compiled> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["compile", "-A", "--no-check", "--output", output],
      ...(target === undefined ? [] : ["--target", target]),
      ...args,
    ],
    cwd,
  }).output();
  const decoder = new TextDecoder();
  return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

if (import.meta.main) {
  const { values: { target, "from-source": isSource }, positionals: [path] } =
    parseArgs({
      allowPositionals: true,
      options: {
        target: { type: "string" },
        "from-source": { type: "boolean" },
      },
    });
  const output = resolve(path ?? join(ROOT, "dist/browsergrid"));
  await Deno.mkdir(dirname(output), { recursive: true });
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-compile-" });
  try {
    if (!isSource) await bundle(folder);
    const { success, text } = isSource
      ? await compileSource(folder, { output, target })
      : await compileBundle(folder, { output, target });
    // deno-lint-ignore no-console -- its output
    console.error(text);
    if (!success) Deno.exitCode = 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
