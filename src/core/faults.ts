import type { z } from "@hono/zod-openapi";
import { truncate } from "./truncate.ts";

/** Faults of one input that are listed: an input of 2 MB may have 200,000. */
const MAX_FAULTS = 20;

/** Longest path and message of one fault. Both may contain text of the input. */
const MAX_PATH = 200;
const MAX_MESSAGE = 1_000;

/** One fault of an input. */
export interface Fault {
  /** Members that lead to it, joined with dots; "" for the whole input. */
  readonly path: string;
  readonly message: string;
}

/** What a failed validation says. */
export interface Faults {
  /** The first {@linkcode MAX_FAULTS}. */
  readonly listed: readonly Fault[];
  /** The same as one sentence, with how many more there are. */
  readonly detail: string;
}

/** Describes the issues of a failed validation, capped. @param prefix Members that lead to the input. */
export function describeFaults(
  issues: readonly z.core.$ZodIssue[],
  prefix: readonly string[] = [],
): Faults {
  const listed = issues.slice(0, MAX_FAULTS).map((issue) => ({
    path: truncate([...prefix, ...issue.path].map(String).join("."), MAX_PATH),
    message: truncate(messageOf(issue), MAX_MESSAGE),
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

/** Of a wrong name in a record, what its own schema says. */
function messageOf(issue: z.core.$ZodIssue): string {
  return issue.code === "invalid_key"
    ? issue.issues.map(({ message }) => message).join("; ")
    : issue.message;
}
