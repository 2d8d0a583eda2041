import type { Context, Next } from "hono";
import { GridError } from "../core/errors.ts";
import type { GridEnv, RouteDeclaration } from "../core/middleware.ts";

/** Maximum number of values in a body. Describing what is wrong with each takes up to 16 us, in one piece. */
const MAX_VALUES = 10_000;

/** Maximum number of values in a body of a worker, whose report has some for each of its sessions. */
const MAX_WORKER_VALUES = 100_000;

/** Fewest bytes of a value in a list, with its comma. */
const MIN_VALUE_BYTES = 2;

/**
 * Rejects JSON with too many values before it is parsed. Validation would describe each, which takes seconds for the
 * 150,000 that fit in a body, and its library fails with as many.
 *
 * @throws {GridError} `body_too_large`.
 */
export async function limitValues(
  c: Context<GridEnv>,
  next: Next,
): Promise<void> {
  const declaration = c.get("route")?.declaration;
  if (declaration && c.req.method !== "GET") {
    const max = findMax(declaration);
    const length = Number(c.req.header("content-length") ?? Infinity);
    if (length > max * MIN_VALUE_BYTES) {
      // Not parsed: that takes a second for as many members. The router's validation reads the same text.
      const json = await c.req.text();
      if (countValues(json, max) > max) throw tooManyValues(max);
    }
  }
  await next();
}

function findMax({ roles = [] }: RouteDeclaration): number {
  return roles.includes("worker") ? MAX_WORKER_VALUES : MAX_VALUES;
}

/** Characters that begin or separate values outside of strings. */
const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ARRAY = 0x5b;
const OBJECT = 0x7b;

/** Counts the commas and opening brackets of JSON outside of its strings, at most to `max` and one more. */
function countValues(json: string, max: number): number {
  let count = 0;
  let isText = false;
  for (let at = 0; at < json.length && count <= max; at++) {
    const code = json.charCodeAt(at);
    if (isText) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) isText = false;
    } else if (code === QUOTE) isText = true;
    else if (code === COMMA || code === ARRAY || code === OBJECT) count++;
  }
  return count;
}

function tooManyValues(max: number): GridError {
  return new GridError(
    "body_too_large",
    `Cannot read the body: it has too many values, expected at most ${max}`,
  );
}
