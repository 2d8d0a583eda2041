import type { StoredObject } from "./objects.ts";

/** Reports whether an object has the labels and fields that a list or watch selects. */
export function isSelected(
  object: StoredObject,
  query: URLSearchParams,
): boolean {
  return splitTerms(query.get("labelSelector")).every((term) =>
    hasLabel(object, term)
  ) &&
    splitTerms(query.get("fieldSelector")).every((term) =>
      hasField(object, term)
    );
}

function splitTerms(text: string | null): readonly string[] {
  return text ? text.split(",") : [];
}

function hasLabel({ metadata }: StoredObject, term: string): boolean {
  const labels = metadata.labels ?? {};
  if (term.startsWith("!")) return labels[term.slice(1)] === undefined;
  const [name = "", value] = term.split(/==?/);
  return value === undefined
    ? labels[name] !== undefined
    : labels[name] === value;
}

function hasField(object: StoredObject, term: string): boolean {
  const [path = "", value = ""] = term.split(/==?/);
  const found = path.split(".").reduce<unknown>(
    (
      at,
      key,
    ) => (at !== null && typeof at === "object"
      ? Reflect.get(at, key)
      : undefined),
    object,
  );
  return String(found ?? "") === value;
}
