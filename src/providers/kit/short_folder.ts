/**
 * A private folder with a short path for each owner, for a browser's sockets and temporary files.
 *
 * The path of a unix socket has at most 107 bytes on Linux and 103 on macOS, which a data folder or `TMPDIR` alone may
 * exceed. The folder is therefore created in the first of `TMPDIR`, `/tmp` and `/var/tmp` that is short enough and
 * writable. A symbolic link in the owner's folder names it, so that a later process can find and remove it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

/** Pattern of short folders' names. */
const NAME = /^browsergrid-[0-9a-f]{12}$/;

/** Length reserved for a path below a short folder: Chromium's `org.chromium.Chromium.XXXXXX/SingletonSocket`. */
export const MAX_SOCKET_NAME_BYTES = 44;

/** Maximum length of a socket's path without its final zero: `sun_path` of macOS and the BSDs, and of Linux. */
const MAX_SOCKET_BYTES = Deno.build.os === "linux" ? 107 : 103;

const MAX_FOLDER_BYTES = MAX_SOCKET_BYTES - 1 - MAX_SOCKET_NAME_BYTES;

/** Name of the link to the short folder, in its owner's folder. */
const LINK = "short";

/** Returns the name of the short folder of `owner`. Others cannot predict it before they know the owner. */
export function shortFolderName(owner: string): string {
  const hash = createHash("sha256").update(owner).digest("hex").slice(0, 12);
  return `browsergrid-${hash}`;
}

/**
 * Creates the short folder of the existing folder `owner`, with mode 0700, and returns its path.
 *
 * On Windows, where no short path is needed, it is a plain folder inside its owner's.
 *
 * @throws {Error} If no location is usable; the message names each with its reason.
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
    `Cannot create a short folder for sockets: ${
      reasons.join("; ")
    }; expected TMPDIR to name a writable folder of at most ${
      MAX_FOLDER_BYTES - shortFolderName(owner).length - 1
    } bytes`,
  );
}

/** Returns the short folder of `owner`, even if it does not exist yet; undefined if there is none. */
export async function findShortFolder(
  owner: string,
): Promise<string | undefined> {
  const path = await Deno.readLink(join(owner, LINK)).catch(() => undefined);
  // A link to anything else must be neither used nor removed.
  return path !== undefined && NAME.test(basename(path)) ? path : undefined;
}

async function makeInside(owner: string): Promise<string> {
  const path = join(owner, LINK);
  await Deno.mkdir(path, { recursive: true });
  return path;
}

/**
 * Creates the link, then the folder. In this order a process that is killed in between leaves no folder without a link.
 */
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
      return await isPrivateFolder(path)
        ? undefined
        : "it exists and is not a private folder of this user";
    }
    return String(error);
  }
}

/** Reports whether `path` is a folder, not a link, that only this user can access. */
export async function isPrivateFolder(path: string): Promise<boolean> {
  const found = await Deno.lstat(path).catch(() => undefined);
  if (!found?.isDirectory) return false;
  return found.uid === Deno.uid() && ((found.mode ?? 0) & 0o077) === 0;
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
