import assert from "node:assert/strict";
import { z } from "zod";
import { testGrid } from "../../support/grid.ts";
import { keyedGrid } from "../../support/keys.ts";

const listSchema = z.object({
  items: z.array(z.object({
    name: z.string(),
    display_name: z.string(),
    description: z.string(),
    config_schema: z.object({
      required: z.array(z.string()).optional(),
      properties: z.record(
        z.string(),
        z.object({
          description: z.string(),
          default: z.unknown().optional(),
          secret: z.boolean().optional(),
        }),
      ),
    }),
  })),
});

Deno.test("GET /v1/workerpool/providers lists the installed providers with the schemas of their options", async () => {
  await using grid = await testGrid();
  const response = await grid.request("/v1/workerpool/providers");
  const { items } = listSchema.parse(await response.json());
  assert.deepEqual(items.map(({ name }) => name), [
    "local",
    "docker",
    "kubernetes",
    "azure_container_instance",
  ]);
  const [, docker, , azure] = items;
  assert.equal(docker?.display_name, "Docker");
  const { pull, registry_password } = docker?.config_schema.properties ?? {};
  assert.deepEqual([pull?.default, registry_password?.secret], [
    "missing",
    true,
  ]);
  assert.deepEqual(azure?.config_schema.required, [
    "resource_group",
    "subscription_id",
  ]);
});

Deno.test("a client key may not list the providers", async () => {
  await using grid = await keyedGrid();
  const client = await grid.asNew();
  const { status, body } = await client.call("GET", "/workerpool/providers");
  assert.deepEqual([status, body.code], [403, "forbidden"]);
});
