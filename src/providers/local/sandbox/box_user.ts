/**
 * Users of boxes. A worker that runs as root gives each box a separate user, which owns nothing on the host: bubblewrap
 * run as root would keep root's rights and cannot be nested.
 *
 * @module
 */

/** First user id for boxes, and the number of ids: a range that no system assigns to people or services. */
const FIRST = 0x6000_0000;
const COUNT = 0x0800_0000;

/** A line of a user map of Linux: first id inside, first id outside, count. */
const MAP = /^\s*(\d+)\s+\d+\s+(\d+)/m;

/** Returns an unused user id, chosen at random from a large range. */
export async function pickUserId(): Promise<number> {
  const text = await Deno.readTextFile("/proc/self/uid_map").catch(() => "");
  const [, first = "0", count = "0"] = MAP.exec(text) ?? [];
  const end = Number(first) + Number(count);
  if (end >= FIRST + COUNT) return FIRST + pickBelow(COUNT);
  // In a namespace with few users the id is from the upper half, where no services are.
  const half = Math.floor(end / 2);
  return half + pickBelow(Math.max(1, end - half - 1));
}

/** Returns the command prefix that runs a command as user and group `id`, without other groups. */
export function renderUserSwitch(
  setpriv: string | undefined,
  id: number | undefined,
): readonly string[] {
  if (setpriv === undefined || id === undefined) return [];
  const name = String(id);
  return [setpriv, "--reuid", name, "--regid", name, "--clear-groups"];
}

function pickBelow(end: number): number {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return random % end;
}
