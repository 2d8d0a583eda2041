/** Maximum edit distance between a name and the known name that is suggested. */
const MAX_DISTANCE = 2;

/** Maximum length of a compared name: a longer one is not a typing error. */
const MAX_NAME = 100;

/** Returns the known name that is nearest to `name`; undefined if none is near. */
export function findNearest(
  name: string,
  known: readonly string[],
): string | undefined {
  if (name.length > MAX_NAME) return undefined;
  let found: { readonly each: string; readonly away: number } | undefined;
  for (const each of known) {
    const away = distance(name.toLowerCase(), each.toLowerCase());
    // Two letters are most of a shorter name.
    const isNear = away <= MAX_DISTANCE && away <= each.length / 2;
    if (isNear && away < (found?.away ?? Infinity)) found = { each, away };
  }
  return found?.each;
}

/** Returns `, did you mean "NAME"?`, or nothing if no known name is near. */
export function suggestNearest(name: string, known: readonly string[]): string {
  const found = findNearest(name, known);
  return found === undefined ? "" : `, did you mean "${found}"?`;
}

/** Returns the number of letters to insert, remove or replace to change one text into the other (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1];
    for (const [at, other] of [...to].entries()) {
      const replaced = (row[at] ?? 0) + (letter === other ? 0 : 1);
      next.push(
        Math.min(replaced, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1),
      );
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
