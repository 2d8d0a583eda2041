import type { z } from "@hono/zod-openapi";
import { renderIssue } from "../core/schema.ts";
import { truncate } from "../core/text.ts";

/** Maximum number of faults that are listed: an input of 2 MB may have 200,000. */
const MAX_FAULTS = 20;

/** Maximum lengths of a fault's path and message. Both may contain text of the input. */
const MAX_PATH = 200;
const MAX_MESSAGE = 1_000;

/** A fault in an input. */
export interface Fault {
  /** Path of the faulty member, joined with dots; "" for the whole input. */
  readonly path: string;
  readonly message: string;
}

/** Faults of a failed validation. */
export interface Faults {
  /** The first {@linkcode MAX_FAULTS} faults. */
  readonly listed: readonly Fault[];
  /** The faults as one sentence, with the number of unlisted ones. */
  readonly detail: string;
}

/** Describes the issues of a failed validation, truncated. @param prefix Path of the input. */
export function describeFaults(
  issues: readonly z.core.$ZodIssue[],
  prefix: readonly string[] = [],
): Faults {
  const listed = issues.slice(0, MAX_FAULTS).map((issue) => ({
    path: truncate([...prefix, ...issue.path].map(String).join("."), MAX_PATH),
    message: truncate(renderIssue(issue), MAX_MESSAGE),
  }));
  const more = issues.length - listed.length;
  const sentences = listed.map(({ path, message }) =>
    path === "" ? message : `${path}: ${message}`
  );
  return {
    listed,
    detail: [...sentences, ...(more > 0 ? [`and ${more} more`] : [])].join(
      "; ",
    ),
  };
}
