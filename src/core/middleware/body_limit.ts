import { z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { bodyLimit as limitBody } from "hono/body-limit";
import { GridError } from "../errors.ts";
import { defineMiddleware, type GridEnv } from "../middleware.ts";

/** Refuses bodies that are larger than any honest request. */
export const bodyLimit = defineMiddleware({
  name: "body_limit",
  optionsSchema: z.strictObject({
    max_bytes: z.int().min(1_024).default(2 * 2 ** 20).describe(
      "Largest body that is read",
    ),
  }),
  create({ max_bytes }): MiddlewareHandler<GridEnv> {
    return limitBody({
      maxSize: max_bytes,
      onError() {
        throw new GridError(
          "body_too_large",
          `Cannot read the body: it is too large, expected at most ${max_bytes} bytes`,
        );
      },
    });
  },
});
