/**
 * Problem responses of operations in the OpenAPI document, with examples.
 *
 * @module
 */
import {
  type AnyProblem,
  type CommonCode,
  GridError,
  resolveProblem,
} from "../../core/errors.ts";
import {
  type Problem,
  problemHeaders,
  toProblem,
} from "../problem_response.ts";
import { isDocumentedProblems, type ResponsesObject } from "./problems.ts";

/** Properties that decide which problems of the middleware an operation may respond with. */
export interface OperationKind {
  /** It needs neither a key nor the database. */
  readonly isPublic: boolean;
  readonly hasParameters: boolean;
  readonly hasBody: boolean;
  /** Requests of its method may have a body and change something. */
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
  "overloaded",
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

/** Returns `codes` with the codes of the middleware and the router. */
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

/** Responses that many operations share, by name and codes. */
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
  Unavailable: [
    "overloaded",
    "database_busy",
    "database_unavailable",
    "shutting_down",
  ],
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
    description: "Scheme of the key",
    schema: { type: "string" },
    example: "Bearer",
  },
};

/** Returns the components of every document. */
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
        description: "Any other problem",
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

/** Returns the responses of an operation: its successful ones, then a problem for each status of `codes`. */
export function describeResponses(
  declared: ResponsesObject,
  codes: ReadonlySet<AnyProblem>,
): ResponsesObject {
  const successful = Object.entries(declared).filter(([, each]) =>
    !isDocumentedProblems(each)
  );
  const problems = [
    ...Map.groupBy(codes, (code) => resolveProblem(code).status),
  ]
    .map(([status, group]) => [status, referenceOrDescribe(group)] as const);
  return {
    ...Object.fromEntries(
      successful.map(([status, response]) => [status, addRequestId(response)]),
    ),
    ...Object.fromEntries(problems),
    default: { $ref: "#/components/responses/Problem" },
  };
}

function addRequestId(response: object): object {
  const headers = "headers" in response && typeof response.headers === "object"
    ? response.headers
    : {};
  return { ...response, headers: { ...headers, ...REQUEST_ID } };
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

/** Describes a problem response: its codes as an enum, and an example of each. */
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

/** References to the headers of problems by their names in {@linkcode problemHeaders}. */
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
