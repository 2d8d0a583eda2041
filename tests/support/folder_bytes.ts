import { join } from "node:path";

/** Returns the size of all files below a folder. */
export async function readFolderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) bytes += await readFolderBytes(path);
    else if (isFile) bytes += (await Deno.stat(path)).size;
  }
  return bytes;
}
