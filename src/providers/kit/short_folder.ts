/**
 * A private folder with a short path for each owner: for the sockets and the temporary files of a browser.
 *
 * The path of a unix socket has room for 107 bytes on Linux and 103 on macOS, which a data folder or `TMPDIR` may
 * exceed by itself. The folder therefore stands below the first of `TMPDIR`, `/tmp` and `/var/tmp` that is short enough
 * and can be written to. A symbolic link in the owner's folder names it, so that a later process finds and removes it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

/** Names of short folders. */
const NAME = /^browsergrid-[0-9a-f]{12}$/;

/** Bytes that a path below a short folder may have: Chromium's `org.chromium.Chromium.XXXXXX/SingletonSocket`. */
export const MAX_SOCKET_NAME_BYTES = 44;

/** Longest path of a socket without its final zero: `sun_path` of macOS and the BSDs, and of Linux. */
const MAX_SOCKET_BYTES = Deno.build.os === "linux" ? 107 : 103;

const MAX_FOLDER_BYTES = MAX_SOCKET_BYTES - 1 - MAX_SOCKET_NAME_BYTES;

/** The link to the short folder, in its owner's. */
const LINK = "short";

/** Name of the short folder of `owner`, unknown to others before the owner is. */
export function shortFolderName(owner: string): string {
  const mark = createHash("sha256").update(owner).digest("hex").slice(0, 12);
  return `browsergrid-${mark}`;
}

/**
 * Makes the short folder of the existing folder `owner`, with mode 0700, and returns its path.
 *
 * On Windows, where nothing needs it to be short, it is a plain folder in its owner's.
 *
 * @throws {Error} If none of the places will do; the message names each with its reason.
 */
export async function makeShortFolder(owner: string): Promise<string> {
  if (Deno.build.os === "windows") return await makeInside(owner);
  const reasons: string[] = [];
  for (const place of new Set([tmpdir(), "/tmp", "/var/tmp"])) {
    const path = join(place, shortFolderName(owner));
    const reason = await makeAt(path, owner);
    if (reason === undefined) return path;
    reasons.push(`${place}: ${reason}`);
  }
  throw new Error(
    `Cannot make a short folder for sockets: ${
      reasons.join("; ")
    }; expected TMPDIR to name a writable folder of at most ${
      MAX_FOLDER_BYTES - shortFolderName(owner).length - 1
    } bytes`,
  );
}

/** The short folder of `owner`, which may be only about to exist; undefined if it has none. */
export async function findShortFolder(
  owner: string,
): Promise<string | undefined> {
  const path = await Deno.readLink(join(owner, LINK)).catch(() => undefined);
  // Whatever else the link names is not ours to use or to remove.
  return path !== undefined && NAME.test(basename(path)) ? path : undefined;
}

async function makeInside(owner: string): Promise<string> {
  const path = join(owner, LINK);
  await Deno.mkdir(path, { recursive: true });
  return path;
}

/** Makes the folder and the link to it. The link comes first: a process killed in between leaves nothing unnamed. */
async function makeAt(
  path: string,
  owner: string,
): Promise<string | undefined> {
  const bytes = new TextEncoder().encode(path).length;
  if (bytes > MAX_FOLDER_BYTES) return "the path is too long";
  const link = join(owner, LINK);
  await Deno.remove(link).catch(ignoreMissing);
  await Deno.symlink(path, link, { type: "dir" });
  try {
    await Deno.mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      return await isOurs(path) ? undefined : "it exists and is not ours";
    }
    return String(error);
  }
}

/** Reports whether `path` is a folder, no link, that only this user can use. */
export async function isOurs(path: string): Promise<boolean> {
  const found = await Deno.lstat(path).catch(() => undefined);
  if (!found?.isDirectory) return false;
  return found.uid === Deno.uid() && ((found.mode ?? 0) & 0o077) === 0;
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
