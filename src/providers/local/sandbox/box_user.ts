/**
 * Users of boxes. A worker that is root gives each box a user of its own, who owns nothing on the host: bubblewrap as
 * root would keep root's rights and cannot nest.
 *
 * @module
 */

/** First of the users for boxes, and how many: within the range that no system gives to people or services. */
const FIRST = 0x6000_0000;
const COUNT = 0x0800_0000;

/** A map of users as Linux shows it: first inside, first outside, how many. */
const MAP = /^\s*(\d+)\s+\d+\s+(\d+)/m;

/** Returns a user id that nobody has, chosen at random from a large range. */
export async function freeUserId(): Promise<number> {
  const text = await Deno.readTextFile("/proc/self/uid_map").catch(() => "");
  const [, first = "0", count = "0"] = MAP.exec(text) ?? [];
  const end = Number(first) + Number(count);
  if (end >= FIRST + COUNT) return FIRST + randomBelow(COUNT);
  // In a namespace with few users: from the upper half, where no services are.
  const half = Math.floor(end / 2);
  return half + randomBelow(Math.max(1, end - half - 1));
}

/** The beginning of a command line that runs what follows as user and group `id`, and in no other group. */
export function asUser(
  setpriv: string | undefined,
  id: number | undefined,
): readonly string[] {
  if (setpriv === undefined || id === undefined) return [];
  const name = String(id);
  return [setpriv, "--reuid", name, "--regid", name, "--clear-groups"];
}

function randomBelow(end: number): number {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return random % end;
}
