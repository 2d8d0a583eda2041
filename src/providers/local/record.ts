import { z } from "@hono/zod-openapi";
import { join } from "node:path";
import {
  findShortFolder,
  isPrivateFolder,
  makeShortFolder,
} from "../kit/short_folder.ts";

import { boxEgressSchema } from "./sandbox/box_egress.ts";
import { findBoxFolder } from "./sandbox/box_folder.ts";

const FILE = "browser.json";

const processIdentitySchema = z.strictObject({
  pid: z.int().min(2),
  /** Tells the process from a later one with the same number. */
  start_mark: z.string(),
});

const recordSchema = z.strictObject({
  ...processIdentitySchema.shape,
  session_id: z.string(),
  grid_id: z.string(),
  /** Absent while it starts. */
  endpoint: z.url().optional(),
  /** Process groups that end with it: its own display. */
  companions: z.array(processIdentitySchema),
  /** It depends on the forwarder to its proxy, which ends with the worker's process. */
  has_forwarder: z.boolean(),
  executable: z.string(),
  /** Present if the browser is isolated; contains its egress. */
  box: z.strictObject({ egress: boxEgressSchema }).optional(),
});

/** What a later process of the same worker needs to find a browser again. */
export type BrowserRecord = z.infer<typeof recordSchema>;

/** The record of a browser that has said its address. */
export type ReadyRecord = BrowserRecord & { readonly endpoint: string };

/** Whether the browser has said its address. */
export function isReady(record: BrowserRecord): record is ReadyRecord {
  return record.endpoint !== undefined;
}

/** Writes it so that a crash leaves the old or the new one, never half of it. */
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

/** The record in `folder`; undefined if there is none or it cannot be understood. */
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

/** Folders of the sessions below `root`, by session. */
export async function sessionFolders(
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
 * Removes the folders of a session; a process that is about to end may still write into them.
 *
 * The session's own comes last: as long as it is there, the other is found.
 */
export async function removeFolders(folder: string): Promise<void> {
  const box = await findBoxFolder(folder);
  if (box) await removeFolder(box.path);
  const short = await findShortFolder(folder);
  // Another user's folder of that name was never used.
  if (short !== undefined && await isPrivateFolder(short)) {
    await removeFolder(short);
  }
  await removeFolder(folder);
}

async function removeFolder(folder: string): Promise<void> {
  for (let tries = 0;; tries++) {
    try {
      return await Deno.remove(folder, { recursive: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      if (tries === 20) {
        throw new Error(`Cannot remove folder "${folder}": ${error}`, {
          cause: error,
        });
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
