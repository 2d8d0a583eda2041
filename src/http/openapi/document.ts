/**
 * The OpenAPI 3.1 document of the HTTP API, derived from the zod schemas of the routes.
 *
 * A route declares its parameters, body, responses and problem codes. The problems of the middleware and the router (no
 * key, a body that is too large, ...) are added here, also for apps of plugins.
 *
 * @module
 * @see {@link https://spec.openapis.org/oas/v3.1.1.html OpenAPI Specification 3.1.1}
 */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { GridEnv } from "../../core/middleware.ts";
import {
  addChainProblems,
  createSharedComponents,
  describeResponses,
} from "./problem_responses.ts";
import { findProblems, type ResponsesObject } from "./problems.ts";

type Router = OpenAPIHono<GridEnv>;

/** An OpenAPI document. */
export type ApiDocument = Record<string, unknown>;

type PathItem = NonNullable<
  ReturnType<Router["getOpenAPI31Document"]>["paths"]
>[string];

/** An operation: one method of one path. */
type Operation = NonNullable<PathItem["get"]>;

/** Information about the whole API. */
export interface ApiHead {
  readonly version: string;
  /** Groups of operations by name, with a sentence for each. */
  readonly tags: Readonly<Record<string, string>>;
}

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

const DESCRIPTION =
  `A self-hosted grid for browser sessions: request a browser and connect to its URL with Playwright, Puppeteer or any CDP client.

* Times are ISO 8601 in UTC; ids are UUIDv7, which sort by age. A list with more items contains \`next_cursor\`; send it as \`cursor\` for the next page.
* Every error is \`application/problem+json\` (RFC 9457) with a stable \`code\` and a \`detail\` that says what would be accepted. If waiting helps, \`Retry-After\` says how long.
* Unknown members of a body are rejected. Unknown query parameters are ignored, unless the endpoint says otherwise.
* Stored text must not contain NUL characters or unpaired surrogates, and stored JSON has at most 32 levels: anything else is \`invalid_request\`.
* Every response has \`X-Request-Id\`; a request may set its own.`;

/** Positions of a key in a request. */
const SECURITY_SCHEMES = {
  ApiKey: {
    type: "apiKey",
    in: "header",
    name: "X-API-Key",
    description: "The key in a separate header",
  },
  Bearer: {
    type: "http",
    scheme: "bearer",
    description: "The key as `Authorization: Bearer KEY`",
  },
  Token: {
    type: "apiKey",
    in: "query",
    name: "token",
    description:
      "For WebSockets, whose clients often cannot set headers: the key, or the short-lived token of a `connect_url`",
  },
} as const;

/** Describes every route of `router`. */
export function describeApi(router: Router, head: ApiHead): ApiDocument {
  const document = router.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Browsergrid",
      version: head.version,
      description: DESCRIPTION,
      license: { name: "MIT", url: "https://opensource.org/license/mit" },
    },
    security: [{ ApiKey: [] }, { Bearer: [] }],
  });
  const paths = mapValues(document.paths ?? {}, completePath);
  return withNulls({
    ...document,
    paths,
    tags: collectTags(paths, head.tags),
    components: {
      ...document.components,
      ...createSharedComponents(),
      securitySchemes: SECURITY_SCHEMES,
    },
  });
}

function completePath(item: PathItem, path: string): PathItem {
  const completed = METHODS.flatMap((method) => {
    const operation = item[method];
    return operation ? [[method, complete(operation, { method, path })]] : [];
  });
  return { ...item, ...Object.fromEntries(completed) };
}

interface Place {
  readonly method: string;
  readonly path: string;
}

function complete(operation: Operation, place: Place): Operation {
  const declared: ResponsesObject = { ...operation.responses };
  const codes = addChainProblems(findProblems(declared), {
    isPublic: operation.security?.length === 0,
    hasParameters: (operation.parameters ?? []).length > 0,
    hasBody: operation.requestBody !== undefined,
    isUnsafe: place.method !== "get",
  });
  return {
    operationId: renderOperationId(place),
    ...operation,
    ...describeRoles(operation),
    responses: describeResponses(declared, codes),
  };
}

/** Describes the accepted roles in words, because pages do not show unknown members. */
function describeRoles(
  { description, "x-roles": roles }: Operation,
): { readonly description?: string } {
  if (!Array.isArray(roles)) return {};
  const sentence = `For keys with the role ${roles.join(" or ")}.`;
  return {
    description: description ? `${description}\n\n${sentence}` : sentence,
  };
}

/** Returns the operation id of a route without one: `get_v1_things_id`. */
function renderOperationId({ method, path }: Place): string {
  return [method, ...path.split(/\W+/)].filter(Boolean).join("_");
}

/** Returns every used tag, those with a description first and in their order. */
function collectTags(
  paths: Readonly<Record<string, PathItem>>,
  known: ApiHead["tags"],
): { readonly name: string; readonly description?: string }[] {
  const used = new Set(
    Object.values(paths).flatMap((item) =>
      METHODS.flatMap((method) => item[method]?.tags ?? [])
    ),
  );
  const described = Object.entries(known).filter(([name]) => used.has(name));
  const others = used.difference(new Set(Object.keys(known)));
  return [
    ...described.map(([name, description]) => ({ name, description })),
    ...[...others].map((name) => ({ name })),
  ];
}

function mapValues<T>(
  record: Readonly<Record<string, T>>,
  map: (value: T, key: string) => T,
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, map(value, key)]),
  );
}

/** Any JSON value. */
type Json =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Json[]
  | { readonly [name: string]: Json };

/**
 * Corrects references to named schemas that may be null.
 *
 * The generator writes `{ allOf: [{ $ref }, { type: ["object", "null"] }] }`, which allows no null, because the named
 * schema rejects it. It becomes `{ anyOf: [{ $ref }, { type: "null" }] }`.
 */
function withNulls(document: object): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(document, (_name, value: Json) => correctSchema(value)),
  );
}

function correctSchema(value: Json): Json {
  if (!isObject(value) || !Array.isArray(value["allOf"])) return value;
  const [named, other, ...more] = value["allOf"];
  const isMeant = more.length === 0 && isObject(named) && "$ref" in named &&
    isObject(other) && Array.isArray(other["type"]) &&
    other["type"].includes("null");
  if (!isMeant) return value;
  const { allOf: _, ...rest } = value;
  const { type: __, ...said } = other;
  return { ...rest, ...said, anyOf: [named, { type: "null" }] };
}

function isObject(
  value: Json,
): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
