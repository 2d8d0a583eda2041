import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { bundle, listFiles } from "../bundle.ts";
import { buildNative, type Machine } from "../native.ts";
import { buildNpmPackage } from "../npm/main.ts";
import { rejectForeignFolder, removeOutputFolder } from "../output_folder.ts";
import { packTarGz, readFolder } from "./archives.ts";
import { buildExecutable, type Executable } from "./executables.ts";
import { renderFormula } from "./homebrew.ts";
import { renderLicenses } from "./licenses.ts";
import { listBundledPackages } from "./packages.ts";
import {
  readCommitTime,
  readReleasesUrl,
  ROOT,
  toProjectUrl,
} from "./project.ts";
import { renderSbom } from "./sbom.ts";
import { TARGETS } from "./targets.ts";
import { renderWingetManifests } from "./winget.ts";

/** File with the licences of the software that a release contains. */
export const LICENSES = "THIRD-PARTY-LICENSES.txt";

/** File with the checksums. */
export const CHECKSUMS = "SHA256SUMS";

/** File with the list of the software that a release contains. */
export const SBOM = "browsergrid.cdx.json";

const MACHINES: readonly Machine[] = ["x86_64", "aarch64"];

/** A release in a folder. */
export interface Release {
  /** Sizes in bytes by file. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Size of the bundle, without native libraries. */
  readonly bundleBytes: number;
  readonly executables: readonly Executable[];
  /** Missing parts, each with the reason. */
  readonly missing: readonly string[];
}

/** Options of {@linkcode buildRelease}. */
export interface BuildOptions {
  /** Changes of the version. */
  readonly notes: string;
  /** Goes on without what cannot be built on this machine. */
  readonly skipMissing: boolean;
  /** Goes on with an executable that is not the program. */
  readonly skipWrong: boolean;
}

/**
 * Builds all files of a release in `folder`, and replaces an earlier one.
 *
 * @throws {Error} If something is missing or wrong, or the folder has other files. It is then unchanged.
 */
export async function buildRelease(
  folder: string,
  { notes, skipMissing, skipWrong }: BuildOptions,
): Promise<Release> {
  await rejectForeignFolder(folder, SBOM);
  await Deno.mkdir(dirname(folder), { recursive: true });
  await using stack = new AsyncDisposableStack();
  const work = await Deno.makeTempDir({
    dir: dirname(folder),
    prefix: ".release-",
  });
  stack.defer(() => Deno.remove(work, { recursive: true }));
  const output = join(work, "output");
  await Deno.mkdir(output);
  const packages = await listBundledPackages();
  const licenses = await renderLicenses(packages);
  await Deno.writeTextFile(join(output, LICENSES), licenses);
  await Deno.writeTextFile(
    join(output, SBOM),
    renderSbom(packages, await readCommitTime()),
  );
  const { bytes: bundleBytes, main } = await bundle(join(work, "bundle"));
  const native = await buildLibraries(work);
  const missing = [...native.missing];
  const executables: Executable[] = [];
  for (const target of TARGETS) {
    const built = await buildExecutable(target, {
      bundle: dirname(main),
      libraries: native.paths,
      legal: [join(ROOT, "LICENSE"), join(output, LICENSES)],
      output,
    });
    if (typeof built === "string") missing.push(`${target.name}: ${built}`);
    else executables.push(built);
  }
  if (missing.length > 0 && !skipMissing) {
    throw new Error(
      `Cannot make the release, expected every part, or --skip-missing to go on without:\n${
        missing.join("\n")
      }`,
    );
  }
  const wrong = listProblems(executables);
  if (wrong.length > 0 && !skipWrong) {
    throw new Error(`Cannot make the release:\n${wrong.join("\n")}`);
  }
  await packOthers(work, { output, libraries: native.paths });
  await Deno.writeTextFile(join(output, "release-notes.md"), notes);
  const checksums = await writeChecksums(output);
  await writeManifests(output, checksums);
  const sizes = new Map<string, number>();
  for (const name of [...checksums.keys(), CHECKSUMS]) {
    sizes.set(name, (await Deno.stat(join(output, name))).size);
  }
  await removeOutputFolder(folder, SBOM);
  await Deno.rename(output, folder);
  return { sizes, bundleBytes, executables, missing };
}

/** Returns the executables that are not the program, each with the reason. */
export function listProblems(
  executables: readonly Executable[],
): readonly string[] {
  return executables.flatMap(({ target, problem }) =>
    problem === undefined ? [] : [`${target}: ${problem}`]
  );
}

/** Builds the native libraries of all machines. */
async function buildLibraries(
  work: string,
): Promise<{ paths: readonly string[]; missing: readonly string[] }> {
  const paths: string[] = [];
  const missing: string[] = [];
  for (const machine of MACHINES) {
    const path = join(work, `join_${machine}.so`);
    const problem = await buildNative(machine, path);
    if (problem === undefined) paths.push(path);
    else missing.push(`native join: ${problem}`);
  }
  return { paths, missing };
}

/** Packs everything that is the same on all machines. */
async function packOthers(
  work: string,
  { output, libraries }: { output: string; libraries: readonly string[] },
): Promise<void> {
  const npm = join(work, "npm");
  await buildNpmPackage(npm);
  for (const folder of [join(npm, "bundle"), join(work, "bundle")]) {
    await removeLibraries(folder);
    for (const path of libraries) {
      await Deno.copyFile(path, join(folder, basename(path)));
    }
    await Deno.copyFile(join(output, LICENSES), join(folder, LICENSES));
  }
  await Deno.copyFile(
    join(ROOT, "LICENSE"),
    join(work, "bundle/LICENSE"),
  );
  const { success, stderr } = await new Deno.Command("npm", {
    args: [
      "pack",
      "--silent",
      "--ignore-scripts",
      "--pack-destination",
      output,
    ],
    cwd: npm,
  }).output();
  if (!success) {
    throw new Error(`Cannot pack: ${new TextDecoder().decode(stderr)}`);
  }
  const bundle = "browsergrid-bundle";
  const systemd = "browsergrid-systemd";
  // Helm expects a folder with the name of the chart.
  const folders = [
    [`${bundle}.tar.gz`, bundle, join(work, "bundle")],
    [`${systemd}.tar.gz`, systemd, join(ROOT, "deploy/systemd")],
    ["browsergrid-chart.tgz", "browsergrid", CHART],
  ] as const;
  for (const [name, prefix, folder] of folders) {
    const files = await readFolder(folder, prefix);
    await Deno.writeFile(join(output, name), await packTarGz(files));
  }
  await Deno.copyFile(
    join(ROOT, "deploy/install.sh"),
    join(output, "install.sh"),
  );
}

/** Folder of Helm's chart. */
const CHART = join(ROOT, "deploy/helm/browsergrid");

/** Removes the native library of this machine from a bundle. */
export async function removeLibraries(folder: string): Promise<void> {
  for await (const path of listFiles(folder)) {
    if (path.endsWith(".so")) await Deno.remove(path);
  }
}

/** Writes the checksums of all files of a folder except the notes. Returns them by name. */
async function writeChecksums(
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const names = entries.map(({ name }) => name)
    .filter((name) => name !== "release-notes.md").sort();
  const checksums = new Map<string, string>();
  for (const name of names) {
    const content = await Deno.readFile(join(folder, name));
    checksums.set(name, createHash("sha256").update(content).digest("hex"));
  }
  const lines = [...checksums].map(([name, hash]) => `${hash}  ${name}\n`);
  await Deno.writeTextFile(join(folder, CHECKSUMS), lines.join(""));
  return checksums;
}

/** Writes the manifests of package managers, as far as there are archives for them. */
async function writeManifests(
  output: string,
  checksums: ReadonlyMap<string, string>,
): Promise<void> {
  const releases = await readReleasesUrl();
  const published = {
    version: config.version,
    homepage: toProjectUrl(releases),
    address: `${releases}/download/v${config.version}`,
    checksums,
  };
  const formula = renderFormula(published);
  if (formula !== undefined) {
    await Deno.mkdir(join(output, "homebrew"));
    await Deno.writeTextFile(join(output, "homebrew/browsergrid.rb"), formula);
  }
  const manifests = renderWingetManifests(published);
  if (manifests.size > 0) await Deno.mkdir(join(output, "winget"));
  for (const [name, text] of manifests) {
    await Deno.writeTextFile(join(output, "winget", name), text);
  }
}
