import { join } from "node:path";
import { systemClock } from "../../../async/clock.ts";
import type { FoundBrowser } from "../find_browser.ts";

/** Prefix of the names of folders for unpacking. */
const PREFIX = "unpacking_";

/** Age after which a folder for unpacking belongs to a killed worker. */
const ABANDONED_MS = 2 * 3_600_000;

/** Options of {@linkcode unpackInto}. */
export interface UnpackOptions {
  /** Name of the final folder. */
  readonly name: string;
  /** Unpacks the browser in a new folder, and returns the folder to move. */
  unpack(fresh: string): Promise<string>;
  /** Returns the browser in the final folder; undefined if there is none. */
  find(): Promise<FoundBrowser | undefined>;
}

/**
 * Unpacks a browser into a new folder below `folder` and then moves it to its final name, so that a killed worker
 * leaves no incomplete browser. Returns the browser under that name, which another worker may have unpacked.
 */
export async function unpackInto(
  folder: string,
  { name, unpack, find }: UnpackOptions,
): Promise<FoundBrowser | undefined> {
  await Deno.mkdir(folder, { recursive: true });
  await removeAbandoned(folder);
  const fresh = await Deno.makeTempDir({ dir: folder, prefix: PREFIX });
  try {
    const unpacked = await unpack(fresh);
    const place = join(folder, name);
    // An incomplete browser of an earlier version of this program would block the name.
    if (!await find()) await remove(place);
    await Deno.rename(unpacked, place);
  } catch (error) {
    const other = await find();
    if (!other) throw error;
  } finally {
    await remove(fresh);
  }
  return await find();
}

async function removeAbandoned(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.startsWith(PREFIX)) continue;
    const { mtime } = await Deno.stat(join(folder, name));
    const age = systemClock.now() - (mtime?.getTime() ?? 0);
    if (age > ABANDONED_MS) await remove(join(folder, name));
  }
}

async function remove(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch(() => {});
}
