import { argumentName } from "../../core/browser_spec.ts";

/** Flags whose values are lists. */
const LISTS: ReadonlySet<string> = new Set([
  "--disable-blink-features",
  "--disable-features",
  "--enable-blink-features",
  "--enable-features",
]);

/**
 * The flags of `all` with each name once, since Chromium takes only the last of a name: that one, but lists of features
 * put together. What does not begin with `--` stays as it is.
 */
export function mergeFlags(all: readonly string[]): string[] {
  const merged = new Map<string | number, string>();
  for (const [at, flag] of all.entries()) {
    const key = flag.startsWith("--") ? argumentName(flag) : at;
    const before = merged.get(key);
    const isList = typeof key === "string" && LISTS.has(key);
    merged.set(key, isList && before ? joinValues(before, flag) : flag);
  }
  return [...merged.values()];
}

/** One flag with the values of two. */
function joinValues(one: string, other: string): string {
  const name = argumentName(one);
  const values = [one, other].map((flag) => flag.slice(name.length + 1))
    .filter((value) => value !== "");
  return `${name}=${values.join(",")}`;
}
