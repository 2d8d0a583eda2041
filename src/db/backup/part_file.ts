import { basename, dirname, join } from "node:path";

/** Ending of the name of a file that is being written. */
const ENDING = ".part";

/** Names of {@linkcode createPartFile}, with the name of the target. */
const PART = /^(.+)\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.part$/;

/** Names of backups for which the user chose none. */
const DEFAULT_NAME = /^browsergrid-\d{8}T\d{6}Z\.db$/;

/** Time without a change after which the file of a killed process is removed. */
const LEFT_MS = 3_600_000;

/** The same for a target whose name has the time. */
const LEFT_TIMED_MS = 24 * LEFT_MS;

/** A file beside `target` that is being written. Disposal removes it, unless it was renamed. */
export interface PartFile extends AsyncDisposable {
  readonly path: string;
}

/**
 * Chooses a name beside `target` for a file that gets the name `target` when it is complete. Removes the files that
 * killed processes have left for the same target.
 */
export async function createPartFile(
  target: string,
  now: number,
): Promise<PartFile> {
  await removeLeft(target, now);
  const path = `${target}.${crypto.randomUUID()}${ENDING}`;
  return {
    path,
    async [Symbol.asyncDispose]() {
      await Deno.remove(path).catch(ignoreMissing);
    },
  };
}

async function removeLeft(target: string, now: number): Promise<void> {
  const folder = dirname(target);
  const own = basename(target);
  for await (const { name, isFile } of Deno.readDir(folder)) {
    const of = isFile && PART.exec(name)?.[1];
    if (!of) continue;
    // The name with a time is never chosen again.
    const leftMs = of === own
      ? LEFT_MS
      : DEFAULT_NAME.test(of) && DEFAULT_NAME.test(own)
      ? LEFT_TIMED_MS
      : Infinity;
    await removeIfOld(join(folder, name), now - leftMs).catch(ignoreMissing);
  }
}

async function removeIfOld(path: string, before: number): Promise<void> {
  const { mtime } = await Deno.lstat(path);
  if (mtime && mtime.valueOf() < before) await Deno.remove(path);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
