import { join } from "node:path";
import { systemClock } from "../../../async/clock.ts";
import type { FoundBrowser } from "../find_browser.ts";

const PREFIX = "unpacking_";

/** After this time what is being unpacked belongs to a worker that was killed. */
const ABANDONED_MS = 2 * 3_600_000;

/** What {@linkcode unpackInto} puts in place. */
export interface UnpackOptions {
  /** Of its folder, once it is complete. */
  readonly name: string;
  /** Unpacks it somewhere in a new folder, and tells where. */
  unpack(fresh: string): Promise<string>;
  /** The browser, if it is in place. */
  find(): Promise<FoundBrowser | undefined>;
}

/**
 * Unpacks a browser into a new folder below `folder`, which then takes its place at once, so that a worker that is
 * killed leaves no half of it. Gives what is in place then; another worker with the same folder may have been faster.
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
    // Half of one that an earlier version of this program has left would keep its place for ever.
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
