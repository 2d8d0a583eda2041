import { readdir } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * Rejects a folder with other files than those of a task, which would be lost if the task replaced it.
 *
 * @param file Path in the folder of a file that the task makes, and no other program.
 * @throws {Error} If the folder exists, is not empty and lacks the file.
 */
export async function rejectForeignFolder(
  folder: string,
  file: string,
): Promise<void> {
  if (!existsSync(folder) || existsSync(join(folder, file))) return;
  if ((await readdir(folder)).length === 0) return;
  throw new Error(
    `Cannot replace the folder "${folder}": it has other files, expected a missing or empty folder, or one with ${file}`,
  );
}

/** Removes a folder that a task made before. @throws {Error} As {@linkcode rejectForeignFolder}. */
export async function removeOutputFolder(
  folder: string,
  file: string,
): Promise<void> {
  await rejectForeignFolder(folder, file);
  if (existsSync(folder)) await Deno.remove(folder, { recursive: true });
}
