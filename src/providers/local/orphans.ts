import { pathExists } from "./path_exists.ts";
import { findProcessGroups } from "./process/orphan_processes.ts";
import { endGroup } from "./process/process_group.ts";
import { isRunning } from "./process/process_identity.ts";
import { readRecord, removeFolders } from "./record.ts";

/** Ends the processes that earlier browsers have left, and removes their folders. */
export class Orphans {
  readonly #ending = new Map<string, Promise<void>>();

  /**
   * Ends the processes of `folder` and removes it.
   *
   * Concurrent calls for one folder share the work, so that a sweep does not end the processes of a later start.
   */
  end(folder: string): Promise<void> {
    const ending = this.#ending.get(folder) ??
      endOrphans(folder).finally(() => this.#ending.delete(folder));
    this.#ending.set(folder, ending);
    return ending;
  }
}

/** Ends the recorded processes that still run, and the unrecorded ones; then removes the folders. */
async function endOrphans(folder: string): Promise<void> {
  if (await pathExists(folder)) {
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
