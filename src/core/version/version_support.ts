/** Results of a comparison of two versions. */
export const VERSION_SUPPORT = [
  "supported",
  "too_old",
  "too_new",
  "unknown",
] as const;

/** The result of comparing two versions. */
export type VersionSupport = (typeof VERSION_SUPPORT)[number];

interface Version {
  readonly major: number;
  readonly minor: number;
}

/**
 * Compares the version of a server or worker at the other end with the version of this program. Supported are the same
 * minor version, the one before and the one after. The last minor version of a major is not known here, so that the
 * result for `1.9` and `2.0` is `unknown`; all other versions of two majors are too old or too new.
 *
 * @param other Version of the other end; it may be any text. Undefined or null if it did not send one.
 */
export function compareSupport(
  other: string | null | undefined,
  program: string,
): VersionSupport {
  const theirs = parseVersion(other ?? "");
  const ours = parseVersion(program);
  if (!theirs || !ours) return "unknown";
  if (theirs.major === ours.major) {
    const step = theirs.minor - ours.minor;
    if (Math.abs(step) <= 1) return "supported";
    return step < 0 ? "too_old" : "too_new";
  }
  const isOlder = theirs.major < ours.major;
  const [older, newer] = isOlder ? [theirs, ours] : [ours, theirs];
  if (newer.major === older.major + 1 && newer.minor === 0) return "unknown";
  return isOlder ? "too_old" : "too_new";
}

function parseVersion(text: string): Version | undefined {
  const [, major, minor] = /^(\d{1,6})\.(\d{1,6})(?:[.+-]|$)/.exec(text) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  return { major: Number(major), minor: Number(minor) };
}
