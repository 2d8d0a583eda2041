import { dirname } from "node:path";
import { fileExists } from "../database_file.ts";

/**
 * Rejects root in the folder of another user, who could put a link in the place of the file that is being written. A
 * missing folder is accepted.
 *
 * @throws {Error} It names the user.
 */
export async function rejectForeignFolder(path: string): Promise<void> {
  if (Deno.uid() !== 0) return;
  const folder = dirname(path);
  if (!await fileExists(folder)) return;
  const { uid } = await Deno.stat(folder);
  if (uid === null || uid === 0) return;
  throw new Error(
    `Cannot write "${path}" as root: folder "${folder}" belongs to user ${uid}, expected a run as this user, such as with "runuser -u NAME -- browsergrid ..."`,
  );
}
