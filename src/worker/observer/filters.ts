import type { EventFilter } from "../../client/client.ts";
import { compileGlob } from "../../core/pattern/glob.ts";

/** Page, frame or worker of an event. */
export interface EventTarget {
  readonly id: string;
  readonly type: string;
  readonly url: string;
}

/** An event of a browser. */
export interface CdpEvent {
  readonly method: string;
  readonly target: EventTarget;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Returns a function that reports whether an event meets all filters. */
export function compileFilters(
  filters: readonly EventFilter[],
): (event: CdpEvent) => boolean {
  const conditions = filters.map((filter) => ({
    names: filter.path.split("."),
    meets: compileFilter(filter),
  }));
  return (event) =>
    conditions.every(({ names, meets }) => meets(findMember(event, names)));
}

function compileFilter(filter: EventFilter): (value: unknown) => boolean {
  const { operator, value: expected } = filter;
  switch (operator) {
    case "eq":
      return (value) => value === expected;
    case "ne":
      return (value) => value !== expected;
    case "lt":
      return (value) => typeof value === "number" && value < expected;
    case "le":
      return (value) => typeof value === "number" && value <= expected;
    case "gt":
      return (value) => typeof value === "number" && value > expected;
    case "ge":
      return (value) => typeof value === "number" && value >= expected;
    case "exists":
      return (value) => (value !== undefined) === expected;
    case "glob": {
      const matches = compileGlob(expected);
      return (value) => typeof value === "string" && matches(value);
    }
    // A newer server may know others.
    default:
      return () => false;
  }
}

/** Returns a member of an event; undefined if there is none. */
function findMember(event: CdpEvent, names: readonly string[]): unknown {
  let value: unknown = event;
  for (const name of names) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
  }
  return value;
}
