import { join } from "node:path";
import { z } from "zod";
import { systemClock } from "../../async/clock.ts";
import {
  findShortFolder,
  isPrivateFolder,
  makeShortFolder,
} from "../kit/short_folder.ts";
import { boxEgressSchema } from "./sandbox/box_egress.ts";
import { findBoxFolder } from "./sandbox/box_folder.ts";

const FILE = "browser.json";

/** Number of retries of the removal of a folder, and the pause before each. */
const REMOVE_RETRIES = 20;
const REMOVE_PAUSE_MS = 50;

const processIdentitySchema = z.strictObject({
  pid: z.int().min(2),
  /** Start time, which distinguishes the process from a later one with the same id. */
  start_mark: z.string(),
});

const recordSchema = z.strictObject({
  ...processIdentitySchema.shape,
  session_id: z.string(),
  grid_id: z.string(),
  /** Absent while the browser starts. */
  endpoint: z.url().optional(),
  /** Process groups that end with it, such as its display. */
  companions: z.array(processIdentitySchema),
  /** True if it depends on the forwarder to its proxy, which ends with the worker's process. */
  has_forwarder: z.boolean(),
  executable: z.string(),
  /** Present if the browser is isolated; contains its egress. */
  box: z.strictObject({ egress: boxEgressSchema }).optional(),
});

/** The state that a later process of the same worker needs to adopt or end a browser. */
export type BrowserRecord = z.infer<typeof recordSchema>;

/** The record of a browser that has written its address. */
export type ReadyRecord = BrowserRecord & { readonly endpoint: string };

/** Reports whether the browser has written its address. */
export function isReady(record: BrowserRecord): record is ReadyRecord {
  return record.endpoint !== undefined;
}

/** Writes a record atomically: a crash leaves the old or the new one. */
export async function writeRecord(
  folder: string,
  record: BrowserRecord,
): Promise<void> {
  const path = join(folder, FILE);
  const temporary = `${path}.new`;
  try {
    const text = JSON.stringify(record);
    await Deno.writeTextFile(temporary, text, { mode: 0o600 });
    await Deno.rename(temporary, path);
  } catch (error) {
    throw new Error(`Cannot write "${path}": ${error}`, { cause: error });
  }
}

/** Returns the record in `folder`; undefined if there is none or it is invalid. */
export async function readRecord(
  folder: string,
): Promise<BrowserRecord | undefined> {
  try {
    const text = await Deno.readTextFile(join(folder, FILE));
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Lists the sessions with a folder below `root`. */
export async function listSessionFolders(
  root: string,
): Promise<readonly { readonly sessionId: string; readonly folder: string }[]> {
  const entries = await Array.fromAsync(Deno.readDir(root)).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  });
  return entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => ({
    sessionId: name,
    folder: join(root, name),
  }));
}

/**
 * Creates the folders of a session, accessible only to their owner, and returns the one for temporary files.
 *
 * A killed browser leaves files there, such as the socket of its singleton.
 */
export async function makeFolders(folder: string): Promise<string> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  return await makeShortFolder(folder);
}

/**
 * Removes the folders of a session, into which an ending process may still write.
 *
 * The session's folder is removed last, because it contains the links to the others.
 */
export async function removeFolders(folder: string): Promise<void> {
  const box = await findBoxFolder(folder);
  if (box) await removeFolder(box.path);
  const short = await findShortFolder(folder);
  // A folder of another user was never used.
  if (short !== undefined && await isPrivateFolder(short)) {
    await removeFolder(short);
  }
  await removeFolder(folder);
}

async function removeFolder(folder: string): Promise<void> {
  for (let retry = 0;; retry++) {
    try {
      return await Deno.remove(folder, { recursive: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      if (retry === REMOVE_RETRIES) {
        throw new Error(`Cannot remove folder "${folder}": ${error}`, {
          cause: error,
        });
      }
      await systemClock.sleep(REMOVE_PAUSE_MS);
    }
  }
}
