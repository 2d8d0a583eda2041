/**
 * Patterns of event types: names that are joined by dots, where `*` stands for one name, and at the end for all the
 * rest. `session.*` matches `session.running`, `*` every type.
 *
 * @module
 */
import type { EventTypes } from "../../core/app.ts";
import { GridError } from "../../core/errors.ts";
import { findNearest } from "../../core/nearest.ts";

/** Reports whether a type matches a pattern. */
export function matchesPattern(type: string, pattern: string): boolean {
  const names = type.split(".");
  const parts = pattern.split(".");
  const isOpen = parts.at(-1) === "*" && names.length >= parts.length;
  return (isOpen || names.length === parts.length) &&
    parts.every((part, at) => part === "*" || part === names[at]);
}

/**
 * Returns the known types that match one of the patterns.
 *
 * @throws {GridError} `invalid_request` - no type matches a pattern.
 */
export function selectTypes(
  patterns: readonly string[],
  known: EventTypes,
): readonly string[] {
  const types = Object.keys(known);
  const wrong = patterns.find((pattern) =>
    !types.some((type) => matchesPattern(type, pattern))
  );
  if (wrong !== undefined) {
    throw noTypeMatches(wrong, types, { in: "query", path: "type" });
  }
  return types.filter((type) =>
    patterns.some((pattern) => matchesPattern(type, pattern))
  );
}

/** Returns a regular expression for lists of patterns, each a type, the start of one and `.*`, or `*`. */
export function renderPatternRule(known: EventTypes): string {
  const one = renderPatterns(known);
  return `^(${one})(,(${one}))*$`;
}

/** Returns the alternatives of a regular expression for one pattern. */
export function renderPatterns(known: EventTypes): string {
  const starts = Object.keys(known).flatMap((type) =>
    type.split(".").slice(0, -1).map((_, at, { length }) =>
      `${type.split(".").slice(0, length - at).join(".")}.*`
    )
  );
  return ["*", ...new Set(starts), ...Object.keys(known)].map((each) =>
    each.replace(/[.*]/g, "\\$&")
  ).join("|");
}

/** Creates the error of a pattern that no type matches, in the member `path` of the part `in` of a request. */
export function noTypeMatches(
  pattern: string,
  types: readonly string[],
  place: { readonly in: "query" | "body"; readonly path: string },
): GridError {
  const near = findNearest(pattern, types);
  const message = `no event has a type that matches "${pattern}", expected ${
    near === undefined ? "a type or a pattern" : `a type such as "${near}"`
  } such as "session.*"`;
  return new GridError(
    "invalid_request",
    `Cannot use the ${place.in}: ${place.path}: ${message}`,
    { errors: [{ ...place, message }] },
  );
}
