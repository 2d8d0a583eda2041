import { basename, join } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { listFiles } from "../bundle.ts";
import { compileBundle } from "../compile.ts";
import { type ArchivedFile, packTarGz, packZip } from "./archives.ts";
import { findOwnTarget, findTarget } from "./executable_header.ts";
import { type Target, toArchiveName, toExecutableName } from "./targets.ts";

/** Failed download of the runtime that compiled files contain. */
const NO_RUNTIME = /error sending request for url \((\S+)\)/;

/** A packed executable. */
export interface Executable {
  readonly target: string;
  /** Size of the executable. */
  readonly bytes: number;
  /** Size of the program in it; the rest is Deno. */
  readonly programBytes: number;
  /** Why it is not the program, if it was started here and is not. */
  readonly problem?: string;
}

/** Options of {@linkcode buildExecutable}. */
export interface ExecutableOptions {
  /** Folder of the bundle. */
  readonly bundle: string;
  /** Paths of the native libraries. */
  readonly libraries: readonly string[];
  /** Paths of licences, for the archive. */
  readonly legal: readonly string[];
  /** Folder of the archive. */
  readonly output: string;
}

/** Compiles the bundle for a target, and packs it. Returns the reason if that is not possible here. */
export async function buildExecutable(
  target: Target,
  { bundle, libraries, legal, output }: ExecutableOptions,
): Promise<Executable | string> {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-executable-" });
  try {
    let programBytes = await copyBundle(bundle, folder);
    const library = libraries.find((path) =>
      target.system === "linux" && path.endsWith(`_${target.processor}.so`)
    );
    if (library !== undefined) {
      await Deno.copyFile(library, join(folder, basename(library)));
      programBytes += (await Deno.stat(library)).size;
    }
    const name = toExecutableName(target);
    const path = join(folder, name);
    const { success, text } = await compileBundle(folder, {
      output: path,
      target: target.triple,
    });
    if (!success) return explainFailure(text);
    const content = await Deno.readFile(path);
    const found = findTarget(content);
    if (found !== target.name) {
      return `the base runtime is for ${
        found ?? "another machine"
      }, expected one for ${target.name}: unset DENORT_BIN, or set it to a denort for this target`;
    }
    const files: ArchivedFile[] = [{ path: name, content, isExecutable: true }];
    for (const each of legal) {
      files.push({ path: basename(each), content: await Deno.readFile(each) });
    }
    await Deno.writeFile(
      join(output, toArchiveName(target)),
      target.system === "windows" ? packZip(files) : await packTarGz(files),
    );
    const problem = target.name === findOwnTarget()
      ? await tryToStart(path)
      : undefined;
    return {
      target: target.name,
      bytes: content.length,
      programBytes,
      ...(problem === undefined ? {} : { problem }),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Copies a bundle without native libraries. Returns its size. */
async function copyBundle(from: string, to: string): Promise<number> {
  let bytes = 0;
  for await (const path of listFiles(from)) {
    if (path.endsWith(".so")) continue;
    const copy = join(to, path.slice(from.length));
    await Deno.mkdir(join(copy, ".."), { recursive: true });
    await Deno.copyFile(path, copy);
    bytes += (await Deno.stat(copy)).size;
  }
  return bytes;
}

/** Returns the cause of a failed compilation in one line. */
export function explainFailure(text: string): string {
  const [, url] = NO_RUNTIME.exec(text) ?? [];
  if (url !== undefined) {
    return `the base runtime ${url} cannot be downloaded`;
  }
  const causes = [...text.matchAll(/^ +\d+: (.*)$/gm)].map(([, cause]) => cause)
    .filter((cause) => cause !== "<unknown>");
  return causes.length > 0 ? causes.join(": ") : text.trim();
}

/** Starts an executable for its version. Returns why it is not the program; undefined if it is. */
async function tryToStart(path: string): Promise<string | undefined> {
  const { stdout } = await new Deno.Command(path, {
    args: ["--version"],
    stdin: "null",
    stderr: "null",
  }).output();
  const version = new TextDecoder().decode(stdout).trim();
  return version === config.version
    ? undefined
    : `--version prints "${
      version.split("\n", 1)[0]
    }", expected "${config.version}": DENORT_BIN is not a runtime of compiled files`;
}
