import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { declareRoute } from "./auth/access.ts";
import { getBaseUrl } from "./base_url.ts";
import { createDocsRoutes } from "./openapi/docs_routes.ts";
import type { ApiDocument } from "./openapi/document.ts";
import type { GridEnv } from "../core/middleware.ts";
import { problemResponses } from "./openapi/problems.ts";
import { getRequestUrl } from "./request_url.ts";

/** Dependencies of the system routes. */
export interface SystemParts {
  readonly version: string;
  /** Groups of operations by name, with a sentence for each. */
  readonly tags: Readonly<Record<string, string>>;
  /** Loads the routes that are loaded on demand. */
  readonly loadRoutes: () => Promise<void>;
  /** Rejects if the database cannot serve requests now. */
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
  operationId: "checkHealth",
  summary: "Check that the server is alive",
  responses: {
    200: {
      description: "The server is alive",
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
  operationId: "checkReady",
  summary: "Check that the server is ready",
  description: "Queries the database. For load balancers.",
  responses: {
    200: {
      description: "The server is ready",
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
  operationId: "getApiDocument",
  summary: "Get this document",
  responses: {
    200: {
      description: "The OpenAPI 3.1 document of the API",
      content: {
        "application/json": { schema: z.record(z.string(), z.unknown()) },
      },
    },
  },
});

/** Adds the endpoints that belong to no app to `root`, whose routes the OpenAPI document describes. */
export function addSystemRoutes(
  root: OpenAPIHono<GridEnv>,
  { version, tags, loadRoutes, checkReady }: SystemParts,
): void {
  root.openapi(health, (c) => c.json({ status: "ok" as const }, 200));
  root.openapi(ready, async (c) => {
    await checkReady();
    return c.json({ status: "ready" as const }, 200);
  });
  // Created by the first request, when every route is registered.
  // Kept as bytes: serialising this much JSON takes milliseconds, and requests for it need no key.
  let described: Uint8Array<ArrayBuffer> | undefined;
  root.openAPIRegistry.registerPath(document);
  root.get(document.path, document.middleware, async (c) => {
    const { describeApi } = await import("./openapi/document.ts");
    await loadRoutes();
    described ??= encodeDocument(describeApi(root, {
      version,
      tags: {
        ...tags,
        [TAG]: "Health and documentation of the server; no key is needed",
      },
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

/** Returns the document as JSON, without its servers and the closing brace. */
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
  return url === getRequestUrl(c).origin
    ? [direct]
    : [{ url, description: "The server, as clients reach it" }, direct];
}
