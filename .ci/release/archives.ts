/** Archives whose bytes depend on the names and contents of their files only. @module */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import tar from "tar-stream";

/** A file of an archive. */
export interface ArchivedFile {
  /** Path in the archive. */
  readonly path: string;
  readonly content: Uint8Array;
  /** @default {false} */
  readonly isExecutable?: boolean;
}

/** Returns a gzipped tar archive, in the order of the paths. */
export async function packTarGz(
  files: readonly ArchivedFile[],
): Promise<Uint8Array> {
  const pack = tar.pack();
  const packed = buffer(pack);
  for (const { path, content, isExecutable } of sort(files)) {
    const header = {
      name: path,
      mode: isExecutable ? 0o755 : 0o644,
      mtime: new Date(0),
    };
    pack.entry(header, Buffer.from(content));
  }
  pack.finalize();
  return gzipSync(await packed);
}

/** Returns a zip archive, in the order of the paths. */
export function packZip(files: readonly ArchivedFile[]): Uint8Array {
  const contents = sort(files).map(({ path, content }) => [path, content]);
  // The format has local time, and begins with this year.
  return zipSync(Object.fromEntries(contents), {
    mtime: new Date(1980, 0, 1),
  });
}

/** Reads all files below a folder, with paths below `prefix`. */
export async function readFolder(
  folder: string,
  prefix: string,
): Promise<readonly ArchivedFile[]> {
  const files: ArchivedFile[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const from = join(folder, name);
    const path = `${prefix}/${name}`;
    if (isDirectory) files.push(...await readFolder(from, path));
    else files.push({ path, content: await Deno.readFile(from) });
  }
  return files;
}

function sort(files: readonly ArchivedFile[]): readonly ArchivedFile[] {
  return files.toSorted((one, other) => one.path < other.path ? -1 : 1);
}
