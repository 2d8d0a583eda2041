/** Facts of the project that its releases state. @module */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of the project. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

/** Reads the address of the releases, which stands in `install.sh` alone. */
export async function readReleasesUrl(): Promise<string> {
  const script = await Deno.readTextFile(join(ROOT, "deploy/install.sh"));
  const [, url] = /^DEFAULT_BASE_URL=(\S+)$/m.exec(script) ?? [];
  if (url === undefined) {
    throw new Error("Cannot find DEFAULT_BASE_URL in deploy/install.sh");
  }
  return url;
}

/** Reads the version of Deno that the tests run with, which stands in `.ci/run` alone. */
export async function readDenoVersion(): Promise<string> {
  const script = await Deno.readTextFile(join(ROOT, ".ci/run"));
  const [, version] = /^DENO_VERSION=(\S+)$/m.exec(script) ?? [];
  if (version === undefined) {
    throw new Error("Cannot find DENO_VERSION in .ci/run");
  }
  return version;
}

/** Returns the changes of a version: its section of CHANGELOG.md. @throws {Error} If it has none. */
export async function readNotes(version: string): Promise<string> {
  const changelog = await Deno.readTextFile(join(ROOT, "CHANGELOG.md"));
  const project = toProjectUrl(await readReleasesUrl());
  return renderLinks(
    findSection(changelog, version),
    `${project}/blob/v${version}`,
  );
}

/** Returns the address of the project, from the address of its releases. */
export function toProjectUrl(releases: string): string {
  return releases.replace(/\/releases$/, "");
}

/** Completes the links to files of the project. @param address Address of the project's files. */
export function renderLinks(text: string, address: string): string {
  return text.replaceAll(/\]\((?!https:)/g, `](${address}/`);
}

/** Returns the section of a version. */
export function findSection(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const found = sections.find((section) =>
    section.split(/\s/, 1)[0] === version
  );
  if (found === undefined) {
    throw new Error(
      `Cannot find the changes of ${version} in CHANGELOG.md, expected a section "## ${version} - DATE"`,
    );
  }
  return `${found.slice(found.indexOf("\n")).trim()}\n`;
}

/** Facts that decide whether a tree can be released. */
export interface Candidate {
  /** Files that differ from the last commit. */
  readonly changes: string;
  readonly version: string;
  /** Address of the releases. */
  readonly releases: string;
  /** Version of Deno that the program is tested with, which must be the running one. */
  readonly deno: string;
}

/** Rejects a tree from which no release can be made that others can repeat and download. @throws {Error} */
export function rejectUnfinished(
  { changes, version, releases, deno }: Candidate,
): void {
  if (changes !== "") {
    throw new Error(
      `Cannot make a release of a tree with changes, expected a clean one, or --draft:\n${changes}`,
    );
  }
  if (Deno.version.deno !== deno) {
    throw new Error(
      `Cannot make a release with Deno ${Deno.version.deno}, expected the tested version ${deno}, or --draft`,
    );
  }
  if (!/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Error(
      `Cannot make a release of version ${version}, expected one such as 1.2.3 in deno.json, or --draft`,
    );
  }
  if (new URL(releases).hostname.endsWith(".example")) {
    throw new Error(
      `Cannot make a release for ${releases}: it is a placeholder, expected the address of the project as DEFAULT_BASE_URL in deploy/install.sh, or --draft`,
    );
  }
}

/** Returns the moment of the last commit. @throws {Error} If there is no commit. */
export async function readCommitTime(): Promise<Date> {
  return new Date(Number(await git("log", "-1", "--format=%ct")) * 1_000);
}

/** Returns the files that differ from the last commit, or are not in it. */
export function listChanges(): Promise<string> {
  return git("status", "--porcelain");
}

async function git(...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("git", {
    args: [...args],
    cwd: ROOT,
  }).output();
  const decoder = new TextDecoder();
  if (!success) {
    throw new Error(`Cannot run git ${args[0]}: ${decoder.decode(stderr)}`);
  }
  return decoder.decode(stdout).trim();
}
