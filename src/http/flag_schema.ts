import { z } from "@hono/zod-openapi";

/** Returns the schema of an optional query parameter that is `true` or `false`; the document names `false` as default. */
export function createFlagSchema(
  description: string,
): z.ZodOptional<z.ZodCodec<z.ZodString, z.ZodBoolean>> {
  return z.stringbool().optional().openapi({
    type: "string",
    enum: ["true", "false"],
    default: "false",
    description,
  });
}
