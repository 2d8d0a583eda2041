import assert from "node:assert/strict";
import { systemClock } from "../../src/async/clock.ts";

/** Timeout until ended processes and folders are gone. */
const PATIENCE_MS = 10_000;

/**
 * Asserts that no browser process, profile folder or container of a grid is left.
 *
 * A grid is identified by its data folder, which is in the command line of each of its browsers.
 *
 * @throws {AssertionError} With the remains after 10 s.
 */
export async function assertNothingLeft(dataDir: string): Promise<void> {
  const deadline = systemClock.monotonic() + PATIENCE_MS;
  let left = await leftovers(dataDir);
  while (left.length > 0 && systemClock.monotonic() < deadline) {
    await systemClock.sleep(100);
    left = await leftovers(dataDir);
  }
  assert.deepEqual(left, []);
}

/** Command lines of processes, and paths of profile folders. */
async function leftovers(dataDir: string): Promise<readonly string[]> {
  return [
    ...await processesWith(dataDir),
    ...await profilesIn(dataDir),
  ];
}

/** Command lines of the running browsers that name `text`. Linux. */
export async function processesWith(text: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name) || name === String(Deno.pid)) continue;
    const raw = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() =>
      ""
    );
    const line = raw.replaceAll("\0", " ").trim();
    if (line.includes(text) && line.includes("--user-data-dir")) {
      found.push(line);
    }
  }
  return found;
}

/** Chromium's profile folders below `folder`: each has a `Local State` or a lock. */
async function profilesIn(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  async function walk(path: string): Promise<void> {
    const entries = await Array.fromAsync(Deno.readDir(path)).catch(() => []);
    if (entries.some(({ name }) => /^(Local State|Singleton.*)$/.test(name))) {
      found.push(path);
      return;
    }
    for (const { name, isDirectory } of entries) {
      if (isDirectory) await walk(`${path}/${name}`);
    }
  }
  await walk(folder);
  return found;
}
