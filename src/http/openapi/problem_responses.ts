/**
 * Refusals in the description of the API: which codes an operation answers, and how each looks.
 *
 * @module
 */
import {
  type AnyProblem,
  type CommonCode,
  GridError,
  type Problem,
  problemHeaders,
  resolveProblem,
  toProblem,
} from "../../core/errors.ts";
import { isDocumentedProblems, type ResponsesObject } from "./problems.ts";

/** What decides which refusals of the chain an operation may get. */
export interface OperationKind {
  /** It needs no key, and no database either. */
  readonly isPublic: boolean;
  readonly hasParameters: boolean;
  readonly hasBody: boolean;
  /** A request of its method may carry a body, read or not, and change something. */
  readonly isUnsafe: boolean;
}

const EVERYWHERE: readonly CommonCode[] = [
  "internal",
  "rate_limited",
  "uri_too_long",
  "host_not_allowed",
];

const GUARDED: readonly CommonCode[] = [
  "unauthorized",
  "forbidden",
  "database_busy",
  "database_unavailable",
  "shutting_down",
];

const UNSAFE: readonly CommonCode[] = [
  "origin_not_allowed",
  "body_too_large",
  "unsupported_media_type",
];

const WITH_BODY: readonly CommonCode[] = ["malformed_json", "invalid_request"];

/** `codes`, and those of the middleware and the router. */
export function addChainProblems(
  codes: readonly AnyProblem[],
  kind: OperationKind,
): ReadonlySet<AnyProblem> {
  return new Set([
    ...codes,
    ...EVERYWHERE,
    ...kind.isPublic ? [] : GUARDED,
    ...kind.hasParameters ? ["invalid_request" as const] : [],
    ...kind.isUnsafe ? UNSAFE : [],
    ...kind.hasBody ? WITH_BODY : [],
  ]);
}

/** Refusals that look the same wherever they stand, by name and codes. */
const SHARED: Readonly<Record<string, readonly CommonCode[]>> = {
  MalformedJson: ["malformed_json"],
  Unauthorized: ["unauthorized"],
  UriTooLong: ["uri_too_long"],
  HostNotAllowed: ["host_not_allowed"],
  Forbidden: ["forbidden", "host_not_allowed"],
  ForbiddenHere: ["forbidden", "host_not_allowed", "origin_not_allowed"],
  BodyTooLarge: ["body_too_large"],
  UnsupportedMediaType: ["unsupported_media_type"],
  InvalidRequest: ["invalid_request"],
  RateLimited: ["rate_limited"],
  Internal: ["internal"],
  Unavailable: ["database_busy", "database_unavailable", "shutting_down"],
};

const REQUEST_ID = {
  "X-Request-Id": { $ref: "#/components/headers/RequestId" },
};

const HEADER_COMPONENTS = {
  RequestId: {
    description: "Id of the request in the server's log",
    schema: { type: "string" },
    example: "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d",
  },
  RetryAfter: {
    description: "Seconds after which to try again",
    schema: { type: "integer", minimum: 0 },
    example: 2,
  },
  Authenticate: {
    description: "How a key is shown",
    schema: { type: "string" },
    example: "Bearer",
  },
};

/** Components that every document has. */
export function createSharedComponents(): {
  readonly headers: typeof HEADER_COMPONENTS;
  readonly responses: Readonly<Record<string, object>>;
} {
  return {
    headers: HEADER_COMPONENTS,
    responses: {
      ...Object.fromEntries(
        Object.entries(SHARED).map(([name, codes]) => [name, describe(codes)]),
      ),
      Problem: {
        description: "Any other refusal",
        headers: REQUEST_ID,
        content: {
          "application/problem+json": {
            schema: { $ref: "#/components/schemas/Problem" },
          },
        },
      },
    },
  };
}

/** The responses of an operation: its own answers, then a refusal for each status of `codes`. */
export function describeResponses(
  own: ResponsesObject,
  codes: ReadonlySet<AnyProblem>,
): ResponsesObject {
  const answers = Object.entries(own).filter(([, each]) =>
    !isDocumentedProblems(each)
  );
  const refused = [...Map.groupBy(codes, (code) => resolveProblem(code).status)]
    .map(([status, group]) => [status, referenceOrDescribe(group)] as const);
  return {
    ...Object.fromEntries(
      answers.map(([status, answer]) => [status, withRequestId(answer)]),
    ),
    ...Object.fromEntries(refused),
    default: { $ref: "#/components/responses/Problem" },
  };
}

function withRequestId(response: object): object {
  const own = "headers" in response && typeof response.headers === "object"
    ? response.headers
    : {};
  return { ...response, headers: { ...own, ...REQUEST_ID } };
}

function referenceOrDescribe(codes: readonly AnyProblem[]): object {
  const [name] =
    Object.entries(SHARED).find(([, shared]) =>
      new Set<AnyProblem>(shared).symmetricDifference(new Set(codes)).size === 0
    ) ?? [];
  return name === undefined
    ? describe(codes)
    : { $ref: `#/components/responses/${name}` };
}

/** The refusal in full: its codes as an enum, and an example of each. */
function describe(codes: readonly AnyProblem[]): object {
  const problems = codes.map(createExample);
  return {
    description: problems.map(({ code, title }) => `\`${code}\`: ${title}`)
      .join("; "),
    headers: describeHeaders(codes),
    content: {
      "application/problem+json": {
        schema: {
          allOf: [
            { $ref: "#/components/schemas/Problem" },
            {
              type: "object",
              properties: { code: { enum: problems.map(({ code }) => code) } },
            },
          ],
        },
        examples: Object.fromEntries(
          problems.map((value) => [value.code, { value }]),
        ),
      },
    },
  };
}

/** Headers of problems, by the name that {@linkcode problemHeaders} gives them. */
const HEADERS: Readonly<Record<string, object>> = {
  "retry-after": {
    "Retry-After": { $ref: "#/components/headers/RetryAfter" },
  },
  "www-authenticate": {
    "WWW-Authenticate": { $ref: "#/components/headers/Authenticate" },
  },
};

function describeHeaders(
  codes: readonly AnyProblem[],
): object {
  const names = codes.flatMap((code) => [
    ...Object.keys(problemHeaders(new GridError(code, ""))),
    ...(resolveProblem(code).mayHaveRetryAfter ? ["retry-after"] : []),
  ]);
  return Object.assign({}, REQUEST_ID, ...names.map((name) => HEADERS[name]));
}

const EXAMPLE_ID = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";

/** Returns an example of a response with `problem`. */
function createExample(problem: AnyProblem): Problem {
  const { example, title } = resolveProblem(problem);
  return toProblem(new GridError(problem, example ?? title), EXAMPLE_ID);
}
