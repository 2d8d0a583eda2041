import { z } from "@hono/zod-openapi";
import {
  type AnyProblem,
  type ProblemStatus,
  resolveProblem,
} from "../../core/errors.ts";

/** Shape of every refusal, for the OpenAPI document. */
export const problemSchema = z.looseObject({
  type: z.string().describe("A URN that has the code"),
  title: z.string().describe("The code in words"),
  status: z.int().describe("HTTP status"),
  detail: z.string().describe("What is wrong, and what would be accepted"),
  code: z.string().describe("Stable; a code never changes its meaning"),
  request_id: z.string().optional().describe("Finds the line in the log"),
}).openapi("Problem", {
  description: "A refusal (RFC 9457). Some codes add members of their own",
});

/** Member of a response that carries its codes from the route to the document, which shows them as an enum. */
const CODES = "x-codes";

/** What a route says of the refusals of one status. */
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

/** The codes that a route itself says it answers. */
export function findProblems(
  responses: ResponsesObject,
): readonly AnyProblem[] {
  return Object.values(responses).flatMap((response) =>
    isDocumentedProblems(response) ? response[CODES] : []
  );
}

/** Whether a response is one that {@linkcode problemResponses} made. */
export function isDocumentedProblems(
  response: object,
): response is DocumentedProblems {
  return CODES in response;
}

/** Entries of a route's `responses` for refusals with these codes, built-in ones or an app's own. */
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
