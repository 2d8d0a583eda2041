import { z } from "@hono/zod-openapi";
import { textSchema } from "../../../core/schema.ts";

const LABEL_NAME = /^[^=]+$/;

const MAX_NAME = 63;

const MAX_LABELS = 64;

const LABEL_NAMES = {
  propertyNames: {
    minLength: 1,
    maxLength: MAX_NAME,
    pattern: LABEL_NAME.source,
  },
};

/** Labels of a session: at most 64, with names of at most 63 characters. */
export const labelsSchema = z.record(
  textSchema().min(1).max(MAX_NAME).regex(
    LABEL_NAME,
    'expected a name without "=", so that ?label=NAME=VALUE finds it',
  ),
  textSchema().max(256),
).refine(
  (labels) => Object.keys(labels).length <= MAX_LABELS,
  `expected at most ${MAX_LABELS}`,
).openapi({
  description: "Names and values by which sessions can be listed",
  maxProperties: MAX_LABELS,
  ...LABEL_NAMES,
});

/** One label in a query: NAME=VALUE, parsed into name and value. */
export const labelFilterSchema = z.string().regex(
  /^[^=]+=/,
  "expected NAME=VALUE",
).transform(parseLabel).optional().openapi({
  type: "string",
  pattern: "^[^=]+=",
  example: "team=search",
  description: "NAME=VALUE: only sessions with this label",
});

function parseLabel(text: string): [string, string] {
  const at = text.indexOf("=");
  return [text.slice(0, at), text.slice(at + 1)];
}
