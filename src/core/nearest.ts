import { distance } from "fastest-levenshtein";

/** How many letters a name may have wrong to be taken for a known one. */
const MAX_DISTANCE = 2;

/** Longest name that is compared: a longer one is no slip of the fingers. */
const MAX_NAME = 100;

/** The known name that `name` is most likely meant to be; undefined if none is near. */
export function nearest(
  name: string,
  known: readonly string[],
): string | undefined {
  if (name.length > MAX_NAME) return undefined;
  let found: { readonly each: string; readonly away: number } | undefined;
  for (const each of known) {
    const away = distance(name.toLowerCase(), each.toLowerCase());
    // Of a shorter name two letters are most of it.
    const isNear = away <= MAX_DISTANCE && away <= each.length / 2;
    if (isNear && away < (found?.away ?? Infinity)) found = { each, away };
  }
  return found?.each;
}

/** `, did you mean "NAME"?`, or nothing where no known name is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const found = nearest(name, known);
  return found === undefined ? "" : `, did you mean "${found}"?`;
}
