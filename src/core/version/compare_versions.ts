/** Parts of a version that order it: major, minor and patch, and 0 for a version before the release of these. */
type Parts = readonly number[];

/** Compares two versions for a sort: older ones are first, and a text that is no version before all. */
export function compareVersions(one: string, other: string): number {
  const [first, second] = [parseParts(one), parseParts(other)];
  for (const [at, part] of first.entries()) {
    const step = part - (second[at] ?? 0);
    if (step !== 0) return step;
  }
  return 0;
}

function parseParts(text: string): Parts {
  const match = /^(\d{1,6})\.(\d{1,6})\.(\d{1,6})(-?)/.exec(text);
  if (!match) return [-1, 0, 0, 0];
  const [, major, minor, patch, dash] = match;
  return [Number(major), Number(minor), Number(patch), dash === "" ? 1 : 0];
}
