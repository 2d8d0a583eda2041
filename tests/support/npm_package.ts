import assert from "node:assert/strict";
import { join } from "node:path";
import { buildNpmPackage } from "../../.ci/npm/main.ts";
import { runToEnd } from "./run_to_end.ts";

/** The npm package, packed, and installed in an empty folder. Disposal removes it. */
export interface NpmPackage extends AsyncDisposable {
  /** A folder for the test. */
  readonly folder: string;
  /** Path of the packed file. */
  readonly archive: string;
  /** The folder in which it is installed. */
  readonly project: string;
  /** Path of the installed command. */
  readonly command: string;
}

/** Builds, packs and installs the package. */
export async function installNpmPackage(): Promise<NpmPackage> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-npm-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const packed = join(folder, "package");
  const project = join(folder, "project");
  await buildNpmPackage(packed);
  await Deno.mkdir(project);
  const archive = join(packed, await npm(packed, "pack", "--silent"));
  // As on machines where install scripts are turned off.
  await npm(project, "install", "--ignore-scripts", "--no-audit", archive);
  const owned = stack.move();
  return {
    folder,
    archive,
    project,
    command: join(project, "node_modules/.bin/browsergrid"),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Runs npm in a folder, and returns its output. */
export async function npm(
  cwd: string,
  ...args: readonly string[]
): Promise<string> {
  const { code, out, error } = await runToEnd("npm", args, { cwd });
  assert.equal(code, 0, error + out);
  return out.trim();
}

/**
 * Returns a Node that can replace itself by another program: this machine's, or one of npm, which is installed into
 * `folder`.
 */
export async function findNodeWithExecve(folder: string): Promise<string> {
  const { out: path } = await runToEnd("which", ["node"]);
  const question = ["--print", "typeof process.execve"];
  const { out } = await runToEnd("node", question);
  if (out.trim() === "function") return path.trim();
  const arch = Deno.build.arch === "x86_64" ? "x64" : "arm64";
  const name = `node-linux-${arch}`;
  await Deno.mkdir(folder, { recursive: true });
  await npm(folder, "install", "--ignore-scripts", "--no-audit", `${name}@22`);
  return join(folder, "node_modules", name, "bin/node");
}
