/**
 * The folder of a box, outside the session's folder: its path is short enough for sockets, and the box's user can
 * access it, wherever the data folder is.
 *
 * ```text
 * /var/tmp/browsergrid-box-<hash>/   0710, owned by the worker, in the group of the box's user
 *   egress.sock                      the worker listens: the egress proxy
 *   authority                        secret of the session's display
 *   box/                             0700, owned by the box's user
 *     cdp.sock                       the box listens: the debugging port
 *     profile/                       the only part that the browser sees, as /profile
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const NAME = /^browsergrid-box-[0-9a-f]{12}$/;

/** Name of the link to the folder in the session's folder, by which a later process finds and removes it. */
const LINK = "box";

/** Paths in the folder of a box. */
export interface BoxFolder {
  readonly path: string;
  readonly egressSocket: string;
  readonly authority: string;
  readonly cdpSocket: string;
  readonly profile: string;
}

/**
 * Creates the folder of the box of the session in `folder`, preferably on a disk, because profiles are large.
 * Synchronous: a start waits for it, and dispatching each step to another thread takes longer than the steps.
 *
 * @param userId User that the box runs as; undefined means the worker's own user.
 * @throws {Error} If no location is usable.
 */
export function makeBoxFolder(
  folder: string,
  userId: number | undefined,
): BoxFolder {
  const hash = createHash("sha256").update(folder).digest("hex").slice(0, 12);
  const reasons: string[] = [];
  for (const place of new Set(["/var/tmp", "/tmp", tmpdir()])) {
    const path = join(place, `browsergrid-box-${hash}`);
    try {
      createLink(folder, path);
      // Fails if the folder exists: one that another user created must not be used.
      Deno.mkdirSync(path, { mode: 0o700 });
      return createFolders(path, userId);
    } catch (error) {
      reasons.push(`${place}: ${error}`);
    }
  }
  throw new Error(
    `Cannot create a folder for the sandbox: ${reasons.join("; ")}`,
  );
}

/** Returns the folder of the box of the session in `folder`; undefined if there is none. */
export async function findBoxFolder(
  folder: string,
): Promise<BoxFolder | undefined> {
  const path = await Deno.readLink(join(folder, LINK)).catch(() => undefined);
  if (path === undefined || !NAME.test(basename(path))) return undefined;
  const found = await Deno.lstat(path).catch(() => undefined);
  const isOurs = found?.isDirectory && found.uid === Deno.uid();
  return isOurs ? toBoxFolder(path) : undefined;
}

function createLink(folder: string, path: string): void {
  const at = join(folder, LINK);
  try {
    Deno.removeSync(at);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  Deno.symlinkSync(path, at);
}

function createFolders(path: string, userId: number | undefined): BoxFolder {
  const paths = toBoxFolder(path);
  const inner = join(path, "box");
  for (const each of [inner, paths.profile]) {
    Deno.mkdirSync(each, { mode: 0o700 });
  }
  if (userId !== undefined) {
    for (const each of [paths.profile, inner]) {
      Deno.chownSync(each, userId, userId);
    }
    Deno.chownSync(path, null, userId);
    Deno.chmodSync(path, 0o710);
  }
  return paths;
}

function toBoxFolder(path: string): BoxFolder {
  return {
    path,
    egressSocket: join(path, "egress.sock"),
    authority: join(path, "authority"),
    cdpSocket: join(path, "box", "cdp.sock"),
    profile: join(path, "box", "profile"),
  };
}
