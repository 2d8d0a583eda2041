import assert from "node:assert/strict";
import { Validator } from "@seriousme/openapi-schema-validator";
import { createRoute } from "@hono/zod-openapi";
import { buildRouter, createRouter } from "../../../src/http/router.ts";
import {
  type DescribedApi,
  describedApi,
  type JsonSchema,
} from "../../support/api_document.ts";
import { testGrid } from "../../support/grid.ts";

async function realApi(): Promise<DescribedApi> {
  await using grid = await testGrid();
  return await describedApi(grid);
}

Deno.test("/openapi.json is OpenAPI 3.1 for a public validator", async () => {
  const { json } = await realApi();
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(json));
  assert.ok(valid, JSON.stringify(errors, null, 2));
  assert.equal(validator.version, "3.1");
});

Deno.test("/openapi.json has an id, a summary, a tag and described parameters for every operation", async () => {
  const { json, operations } = await realApi();
  const described = new Map(
    json.tags.map(({ name, description }: Record<string, string>) => [
      name,
      description,
    ]),
  );
  for (const { id, summary, tags, parameters } of operations) {
    assert.match(id, /^[a-z][A-Za-z]+$/);
    assert.ok(summary, id);
    assert.ok(tags.length === 1 && described.get(tags[0]), `${id} ${tags}`);
    for (const { name, description } of parameters) {
      assert.ok(description, `${id}: ${name}`);
    }
  }
  const names = operations.map(({ id }) => id);
  assert.equal(new Set(names).size, names.length, "a name stands twice");
});

Deno.test("/openapi.json describes the system endpoints and the WebSockets", async () => {
  const { json, operations } = await realApi();
  for (const path of ["/", "/health", "/ready", "/openapi.json", "/docs"]) {
    assert.deepEqual(json.paths[path].get.security, [], path);
  }
  const sockets = operations.filter(({ isWebSocket }) => isWebSocket);
  assert.deepEqual(
    sockets.map(({ path }) => path).sort(),
    [
      "/v1/connect",
      "/v1/live",
      "/v1/sessions/{id}/cdp",
      "/v1/sessions/{id}/cdp/devtools/page/{target_id}",
      "/v1/sessions/{id}/cdp/stream",
      "/v1/sessions/{id}/live",
      "/v1/workerpool/workers/{worker_id}/tunnel",
      "/v1/workerpool/workers/{worker_id}/tunnel/{stream_id}",
    ],
  );
  for (const { answers } of sockets) assert.ok(answers["101"]);
});

Deno.test("/openapi.json has a valid example for every JSON body", async () => {
  const { operations, follow, fault } = await realApi();
  for (const { id, contents } of operations) {
    for (const content of contents) {
      for (const [type, media] of Object.entries(content)) {
        const examples = listExamples(media, follow(media.schema));
        const isFree = media.schema.additionalProperties !== undefined;
        assert.ok(
          examples.length > 0 || isFree || !/json/.test(type) ||
            media.schema.$ref === "#/components/schemas/Problem",
          `${id}: ${type} has no example`,
        );
        for (const example of examples) {
          assert.equal(fault(media.schema, example), undefined, id);
        }
      }
    }
  }
});

function listExamples(
  media: { readonly example?: unknown; readonly examples?: object },
  schema: JsonSchema,
): readonly unknown[] {
  const own = Array.isArray(schema.examples) ? schema.examples : [];
  const named = Object.values(media.examples ?? {}).map(({ value }) => value);
  return [
    ...media.example === undefined ? [] : [media.example],
    ...named,
    ...own,
  ];
}

Deno.test("no named schema may be null, only references to it", async () => {
  const { json } = await realApi();
  const nullable = Object.entries<JsonSchema>(json.components.schemas).filter(
    ([, { type }]) => Array.isArray(type),
  );
  assert.deepEqual(nullable, []);
  const { proxy } = json.components.schemas.SessionInput.properties;
  assert.deepEqual(proxy, { $ref: "#/components/schemas/Proxy" });
});

Deno.test("/openapi.json describes problems with their codes, an example of each, and Retry-After", async () => {
  const { operations } = await realApi();
  const create = operations.find(({ id }) => id === "createSession");
  const full = create?.answers["429"];
  const media = full?.content?.["application/problem+json"];
  assert.ok(media?.examples?.queue_full);
  assert.ok(full?.headers?.["Retry-After"]);
  for (
    const status of [
      "400",
      "401",
      "403",
      "413",
      "415",
      "422",
      "429",
      "500",
      "503",
    ]
  ) {
    assert.ok(create?.answers[status], status);
  }
});

Deno.test("every operation needs a key, except those that are described as open", async () => {
  await using grid = await testGrid({
    settings: { api_key: "key-0123456789" },
  });
  const { operations, fault } = await describedApi(grid);
  const open = new Set<string>();
  for (const { id, method, path, answers } of operations) {
    const asked = path.replaceAll(/\{\w+\}/g, "x");
    const response = await grid.request(asked, { method });
    const text = await response.text();
    if (response.status !== 401) {
      open.add(id);
      continue;
    }
    const media = answers["401"]?.content?.["application/problem+json"];
    assert.ok(media, `${id} has no 401`);
    assert.equal(fault(media.schema, JSON.parse(text)), undefined, id);
    assert.equal(response.headers.get("www-authenticate"), "Bearer");
  }
  const described = operations.filter(({ isPublic }) => isPublic);
  assert.deepEqual([...open], described.map(({ id }) => id));
});

Deno.test("every path of the document rejects other methods, and lists the allowed ones", async () => {
  await using grid = await testGrid();
  const { json } = await describedApi(grid);
  for (const [path, item] of Object.entries<object>(json.paths)) {
    const known = Object.keys(item).map((method) => method.toUpperCase());
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
      if (known.includes(method)) continue;
      const asked = path.replaceAll(/\{\w+\}/g, "x");
      const response = await grid.request(asked, { method });
      assert.equal(response.status, 405, `${method} ${path}`);
      const allowed = response.headers.get("allow")?.split(", ") ?? [];
      const own = allowed.filter((each) => !/HEAD|OPTIONS/.test(each));
      assert.deepEqual(own.sort(), known.sort(), path);
    }
  }
});

Deno.test("an app without declarations is described with the problems of the middleware", async () => {
  const v1 = createRouter();
  v1.openapi(
    createRoute({
      method: "post",
      path: "/things/{id}",
      "x-roles": ["admin", "client"],
      responses: { 204: { description: "Done" } },
    }),
    (c) => c.body(null, 204),
  );
  const router = buildRouter({
    version: "1.2.3",
    middleware: [],
    apps: [{ manager: {}, routes: { v1 } }],
    checkReady: () => Promise.resolve(),
  });
  const { paths, info } = await (await router.request("/openapi.json")).json();
  const { post } = paths["/v1/things/{id}"];
  assert.equal(info.version, "1.2.3");
  assert.equal(post.operationId, "post_v1_things_id");
  assert.equal(post.description, "For keys with the role admin or client.");
  assert.deepEqual(
    Object.keys(post.responses),
    ["204", "401", "403", "413", "414", "415", "429", "500", "503", "default"],
  );
});
