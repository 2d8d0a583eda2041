import { z } from "@hono/zod-openapi";
import {
  type AnyProblem,
  type ProblemStatus,
  resolveProblem,
} from "../../core/errors.ts";

/** Schema of every problem in the OpenAPI document. */
export const problemSchema = z.looseObject({
  type: z.string().describe("A URN with the code"),
  title: z.string().describe("Description of the code"),
  status: z.int().describe("HTTP status"),
  detail: z.string().describe("What is wrong, and what would be accepted"),
  code: z.string().describe("Stable; a code never changes its meaning"),
  request_id: z.string().optional().describe(
    "Identifies the line in the server's log",
  ),
}).openapi("Problem", {
  description: "A problem (RFC 9457). Some codes add members",
});

/** Member of a response with its codes, which the document shows as an enum. */
const CODES = "x-codes";

/** Problem responses of a route with one status. */
export interface DocumentedProblems {
  readonly description: string;
  readonly [CODES]: readonly AnyProblem[];
  readonly content: {
    readonly "application/problem+json": {
      readonly schema: typeof problemSchema;
    };
  };
}

function documentProblems(codes: readonly AnyProblem[]): DocumentedProblems {
  return {
    description: codes.map((code) => resolveProblem(code).code).join(", "),
    [CODES]: codes,
    content: { "application/problem+json": { schema: problemSchema } },
  };
}

/** The `responses` of an operation in the document. */
export type ResponsesObject = Readonly<Record<string, object>>;

/** Returns the problems that a route declares. */
export function findProblems(
  responses: ResponsesObject,
): readonly AnyProblem[] {
  return Object.values(responses).flatMap((response) =>
    isDocumentedProblems(response) ? response[CODES] : []
  );
}

/** Reports whether {@linkcode problemResponses} created a response. */
export function isDocumentedProblems(
  response: object,
): response is DocumentedProblems {
  return CODES in response;
}

/** Returns members of a route's `responses` for problems: common codes, or declarations of an app. */
export function problemResponses(
  ...codes: readonly AnyProblem[]
): Partial<Record<ProblemStatus, DocumentedProblems>> {
  return Object.fromEntries(
    [...Map.groupBy(codes, (code) => resolveProblem(code).status)].map((
      [status, group],
    ) => [
      status,
      documentProblems(group),
    ]),
  );
}
