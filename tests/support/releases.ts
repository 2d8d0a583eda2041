import { fileURLToPath } from "node:url";

/** A version that users may have. */
export interface Release {
  readonly version: string;
  /** Commit of the release. Its source is read from the history. */
  readonly commit: string;
  /** Last migration that it has. */
  readonly lastMigration: string;
}

/** The releases, oldest first. Tests of upgrades know no others. */
export const RELEASES: readonly [Release, ...Release[]] = [
  {
    version: "0.2.0",
    commit: "6621f3c14f512f1336d541d788a54302c900b06c",
    lastMigration: "0005_key_limits",
  },
];

/** The version before this one, with which it works. */
export const LAST_RELEASE: Release = RELEASES.at(-1) ?? RELEASES[0];

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The source of a release in a folder, which its disposal removes. */
export interface ReleaseSource extends AsyncDisposable {
  /** Module that starts the program. */
  readonly main: string;
}

/** Returns the reason why the source of a release cannot be read, such as a clone without history. */
export async function findMissing(
  { version, commit }: Release,
): Promise<string | undefined> {
  try {
    const { success, stderr } = await new Deno.Command("git", {
      args: ["-C", ROOT, "cat-file", "-e", `${commit}^{commit}`],
      stdout: "null",
      stderr: "piped",
    }).output();
    if (success) return undefined;
    const words = new TextDecoder().decode(stderr).trim();
    return `the history has no commit ${commit} of version ${version}, expected a whole clone (${words})`;
  } catch (error) {
    return `git cannot be run: ${error}`;
  }
}

/** Returns a file of a release. */
export async function readReleased(
  { commit }: Release,
  path: string,
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("git", {
    args: ["-C", ROOT, "show", `${commit}:${path}`],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(decoder.decode(stderr));
}

/** Unpacks the source of a release. */
export async function unpackRelease(
  { commit }: Release,
): Promise<ReleaseSource> {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-release-" });
  const remove = () => Deno.remove(folder, { recursive: true });
  const { success, stderr } = await new Deno.Command("sh", {
    args: [
      ...["-c", 'git -C "$1" archive "$2" | tar -x -C "$3"', "sh"],
      ...[ROOT, commit, folder],
    ],
    stderr: "piped",
  }).output();
  const main = `${folder}/main.ts`;
  if (success && (await Deno.stat(main)).isFile) {
    return { main, [Symbol.asyncDispose]: remove };
  }
  await remove();
  throw new Error(new TextDecoder().decode(stderr));
}
