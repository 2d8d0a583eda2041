/**
 * The endpoint that lists the providers. Loaded by the first request, because most servers never serve it.
 *
 * @module
 */
import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import type { Core } from "../../../../core/app.ts";
import type { GridEnv } from "../../../../core/middleware.ts";
import type { Provider } from "../../../../core/provider.ts";
import { access } from "../../../../http/auth/access.ts";
import { createRouter } from "../../../../http/router.ts";
import {
  providerListSchema,
  type ProviderWire,
} from "../../schemas/providers.ts";

const list = createRoute({
  method: "get",
  path: "/workerpool/providers",
  tags: ["Work pools"],
  operationId: "listProviders",
  ...access(),
  summary: "List the providers, with the schemas of their options",
  responses: {
    200: {
      description: "Installed providers, built-in ones first",
      content: { "application/json": { schema: providerListSchema } },
    },
  },
});

/** Creates the endpoint over the installed providers. */
export function createProviderRoutes(
  providers: Core["providers"],
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(
    list,
    (c) => c.json({ items: [...providers].map(renderProvider) }, 200),
  );
  return router;
}

function renderProvider(
  { name, displayName, description, configSchema }: Provider,
): ProviderWire {
  return {
    name,
    display_name: displayName,
    description,
    // What JSON Schema cannot express, such as a transformation, is any value here; the server still checks it.
    config_schema: {
      ...z.toJSONSchema(configSchema, { io: "input", unrepresentable: "any" }),
    },
  };
}
