import { z } from "@hono/zod-openapi";
import { sessionInputSchema } from "../apps/sessions/schemas.ts";
import {
  proxySchema,
  resourceLimitsSchema,
  screenSchema,
} from "../core/browser_spec.ts";

/** Members of a session's body that stand in a query as they are. */
const plain = sessionInputSchema.omit({
  arguments: true,
  environment: true,
  labels: true,
  proxy: true,
  resource_limits: true,
  screen: true,
}).shape;

const DAY_SECONDS = 86_400;

/** How long a session is kept for a client that has gone. */
export const keepAliveSchema = z.number().min(1).max(DAY_SECONDS);

/**
 * The query of `/v1/connect` for the description of the API: a session's body, of which what is nested stands by itself.
 * It describes only: what a query asks for is read by `sessionOfQuery`.
 */
export const connectQuerySchema = z.object({
  ...plain,
  ...screenSchema.shape,
  ...proxySchema.partial().shape,
  ...resourceLimitsSchema.shape,
  argument: z.array(z.string()).optional().openapi({
    description: "An argument of the browser; may stand several times",
    example: ["--accept-lang=de-DE"],
  }),
  label: z.array(z.string()).optional().openapi({
    description: "NAME=VALUE; may stand several times",
    example: ["team=search"],
  }),
  launch: z.string().optional().openapi({
    description:
      "A whole body as JSON, over which the other parameters are laid",
    example: '{"headless":true}',
  }),
  keep_alive: keepAliveSchema.optional().describe(
    "Seconds for which the browser is kept when the socket closes, so that the client can come back through the session's connect URL",
  ),
  token: z.string().optional().describe(
    "The key, for clients that cannot set headers",
  ),
});
