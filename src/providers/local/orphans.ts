import { endGroup, isRunning } from "./process/process_group.ts";
import { readRecord, removeFolders } from "./record.ts";
import { findProcessGroups } from "./process/orphan_processes.ts";

/** What earlier browsers have left in their folders, each ended once at a time. */
export class Orphans {
  readonly #ending = new Map<string, Promise<void>>();

  /**
   * Ends what is left in `folder`, and removes it.
   *
   * Who comes while it is being ended waits for the same end, so that a sweep does not end what was started since.
   */
  end(folder: string): Promise<void> {
    const ending = this.#ending.get(folder) ??
      endOrphans(folder).finally(() => this.#ending.delete(folder));
    this.#ending.set(folder, ending);
    return ending;
  }
}

/** Ends what a record speaks of, if it is still that, and what was never recorded; then removes the folders. */
async function endOrphans(folder: string): Promise<void> {
  if (await exists(folder)) {
    const record = await readRecord(folder);
    for (const leader of record ? [record, ...record.companions] : []) {
      if (await isRunning(leader)) await endGroup(leader);
    }
    for (const leader of await findProcessGroups(folder)) {
      await endGroup(leader);
    }
  }
  await removeFolders(folder);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
