import type { OpenAPIHono } from "@hono/zod-openapi";
import {
  browserSchema,
  proxySchema,
  resourceLimitsSchema,
  screenSchema,
} from "../../core/browser_spec.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { problemSchema } from "./problems.ts";

/**
 * Registers shared schemas before any route uses them. Otherwise the first use would decide whether the schema itself
 * may be null.
 */
export function registerShared(
  { openAPIRegistry }: OpenAPIHono<GridEnv>,
): void {
  openAPIRegistry.register("Problem", problemSchema);
  openAPIRegistry.register("Browser", browserSchema);
  openAPIRegistry.register("Screen", screenSchema);
  openAPIRegistry.register("Proxy", proxySchema);
  openAPIRegistry.register("ResourceLimits", resourceLimitsSchema);
}
