import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { declareRoute } from "./auth/access.ts";
import { getBaseUrl } from "./base_url.ts";
import { createDocsRoutes } from "./openapi/docs_routes.ts";
import { type ApiDocument, describeApi } from "./openapi/document.ts";
import type { GridEnv } from "../core/middleware.ts";
import { problemResponses } from "./openapi/problems.ts";

/** What the server's own endpoints are made from. */
export interface SystemParts {
  readonly version: string;
  /** Groups of operations by name, with a sentence each. */
  readonly tags: Readonly<Record<string, string>>;
  /** Whether requests that need the database can be served now; rejects with the reason if not. */
  readonly checkReady: () => Promise<unknown>;
}

const TAG = "System";

const shared = { method: "get" as const, tags: [TAG] };

const probe = {
  ...shared,
  ...declareRoute({
    isOpen: true,
    acceptsAnyHost: true,
    isUnlimited: true,
    isQuiet: true,
  }),
};

const health = createRoute({
  ...probe,
  path: "/health",
  operationId: "health",
  summary: "Tell that the server lives",
  responses: {
    200: {
      description: "It lives",
      content: {
        "application/json": {
          schema: z.object({ status: z.literal("ok") }),
          example: { status: "ok" },
        },
      },
    },
  },
});

const ready = createRoute({
  ...probe,
  path: "/ready",
  operationId: "ready",
  summary: "Tell whether the server can serve now",
  description: "Asks the database; for load balancers.",
  responses: {
    200: {
      description: "It can",
      content: {
        "application/json": {
          schema: z.object({ status: z.literal("ready") }),
          example: { status: "ready" },
        },
      },
    },
    ...problemResponses(
      "database_busy",
      "database_unavailable",
      "shutting_down",
    ),
  },
});

const document = createRoute({
  ...shared,
  ...declareRoute({ isOpen: true }),
  path: "/openapi.json",
  operationId: "apiDocument",
  summary: "Get this document",
  responses: {
    200: {
      description: "The description of the API, OpenAPI 3.1",
      content: {
        "application/json": { schema: z.record(z.string(), z.unknown()) },
      },
    },
  },
});

/** Adds the endpoints that belong to no app to `root`, whose routes the document describes. */
export function addSystemRoutes(
  root: OpenAPIHono<GridEnv>,
  { version, tags, checkReady }: SystemParts,
): void {
  root.openapi(health, (c) => c.json({ status: "ok" as const }, 200));
  root.openapi(ready, async (c) => {
    await checkReady();
    return c.json({ status: "ready" as const }, 200);
  });
  // Made when it is first asked for, when every route is there; the same from then on.
  // Kept as bytes: serialising this much JSON takes milliseconds, and requests for it need no key.
  let described: Uint8Array<ArrayBuffer> | undefined;
  root.openAPIRegistry.registerPath(document);
  root.get(document.path, document.middleware, (c) => {
    described ??= encodeDocument(describeApi(root, {
      version,
      tags: { ...tags, [TAG]: "The server itself, without a key" },
    }));
    const servers = encoder.encode(
      `,"servers":${JSON.stringify(listServers(c))}}`,
    );
    const whole = new Uint8Array(described.length + servers.length);
    whole.set(described);
    whole.set(servers, described.length);
    return c.body(whole, 200, JSON_TYPE);
  });
  root.route("/", createDocsRoutes());
}

const JSON_TYPE = { "content-type": "application/json" };

const encoder = new TextEncoder();

/** The document as JSON without its servers and without the brace that ends it. */
function encodeDocument(
  { servers: _, ...rest }: ApiDocument,
): Uint8Array<ArrayBuffer> {
  return encoder.encode(JSON.stringify(rest).slice(0, -1));
}

/**
 * Returns the servers of the document: the URL by which the client reaches this server, if it differs from the
 * document's.
 */
function listServers(c: Context<GridEnv>): readonly object[] {
  const url = getBaseUrl(c);
  const direct = {
    url: "/",
    description: "The server of this document",
  };
  return url === new URL(c.req.url).origin
    ? [direct]
    : [{ url, description: "The server, as clients reach it" }, direct];
}
