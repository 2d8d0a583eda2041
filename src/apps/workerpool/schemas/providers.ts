import { z } from "@hono/zod-openapi";
import type { SchemaOutput } from "../../../core/schema.ts";

const example = {
  name: "docker",
  display_name: "Docker",
  description: "Each browser in a container of a Docker engine",
  config_schema: {
    type: "object",
    properties: {
      image: {
        type: "string",
        default: "browsergrid/chromium:latest",
        description: "Image of the browser",
      },
    },
  },
};

/** A provider, with the schema of its options. */
export const providerSchema = z.object({
  name: z.string().describe("provider_type of its pools"),
  display_name: z.string(),
  description: z.string(),
  config_schema: z.record(z.string(), z.unknown()).describe(
    "JSON Schema (2020-12) of provider_config. Options with secret: true are never returned",
  ),
}).openapi("Provider", { examples: [example] });

/** Response of `GET /v1/workerpool/providers`. */
export const providerListSchema = z.object({
  items: z.array(providerSchema),
}).openapi("ProviderList", { examples: [{ items: [example] }] });

/** Types of the schemas in this file, from which the types below derive. */
export type ProviderSchemas = typeof import("./providers.ts");

/** A provider in a response. */
export type ProviderWire = SchemaOutput<ProviderSchemas["providerSchema"]>;
