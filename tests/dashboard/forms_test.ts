import assert from "node:assert/strict";
import {
  findKind,
  type JsonSchema,
  listAlternatives,
  mergeAlternatives,
  resolveReferences,
} from "../../src/dashboard/page/forms/json_schema.ts";
import {
  buildChanges,
  buildNewBody,
  findMissing,
  listMessages,
} from "../../src/dashboard/page/forms/values.ts";

Deno.test("each type of a schema has its control, and a name or mark of a secret a hidden one", () => {
  const kinds: readonly (readonly [string, JsonSchema, string])[] = [
    ["a", { type: "string" }, "text"],
    ["a", { type: "string", maxLength: 2_000 }, "area"],
    ["a", { type: "string", maxLength: 2_000, format: "uri" }, "text"],
    ["a", { type: "string", format: "date-time" }, "moment"],
    ["a", { type: "string", secret: true }, "secret"],
    ["proxy_password", { type: ["string", "null"] }, "secret"],
    ["a", { type: ["string", "null"], enum: ["x", null] }, "choice"],
    ["a", { type: ["integer", "null"] }, "number"],
    ["a", { type: "boolean" }, "boolean"],
    ["a", { type: "array", items: { type: "string" } }, "lines"],
    [
      "a",
      {
        type: "array",
        items: { type: "object", properties: { b: { type: "string" } } },
      },
      "objects",
    ],
    ["a", { type: "object", properties: { b: {} } }, "object"],
    [
      "a",
      { type: "object", additionalProperties: { type: "string" } },
      "map",
    ],
    ["a", { anyOf: [{ type: "string" }, { type: "null" }] }, "scalar"],
    ["a", {}, "json"],
  ];
  for (const [name, schema, kind] of kinds) {
    assert.equal(findKind(name, schema), kind, JSON.stringify(schema));
  }
});

Deno.test("a choice of objects has the members of all, and requires those that all require", () => {
  const merged = mergeAlternatives({
    oneOf: [
      {
        properties: { operator: { enum: ["eq"] }, value: { type: "string" } },
        required: ["operator", "value"],
      },
      {
        properties: { operator: { enum: ["lt"] }, value: { type: "number" } },
        required: ["operator"],
      },
    ],
  });
  assert.deepEqual(merged.properties?.["operator"]?.enum, ["eq", "lt"]);
  assert.equal(findKind("value", merged.properties?.["value"] ?? {}), "scalar");
  assert.deepEqual(merged.required, ["operator"]);
});

Deno.test("references are replaced by their schemas, and a recursive one ends", () => {
  const root = {
    components: {
      schemas: {
        A: {
          type: "object",
          properties: { b: { $ref: "#/components/schemas/B" } },
        },
        B: { type: "string", enum: ["x"] },
        C: { type: "array", items: { $ref: "#/components/schemas/C" } },
      },
    },
  };
  const resolved = resolveReferences(
    { $ref: "#/components/schemas/A" },
    root,
  );
  assert.deepEqual(resolved.properties?.["b"]?.enum, ["x"]);
  resolveReferences({ $ref: "#/components/schemas/C" }, root);
  assert.deepEqual(resolveReferences({ $ref: "#/none" }, root), {});
});

Deno.test("texts among which a pattern chooses are suggestions, other patterns are none", () => {
  assert.deepEqual(
    listAlternatives({
      pattern: "^(\\*|session\\.\\*|pool\\.created|cdp:\\w+)$",
    }),
    ["*", "session.*", "pool.created"],
  );
  assert.deepEqual(listAlternatives({ pattern: "^[a-z]+$" }), []);
  assert.deepEqual(listAlternatives({}), []);
});

const SCHEMA: JsonSchema = {
  type: "object",
  required: ["name"],
  properties: {
    name: { type: "string" },
    description: { type: "string", default: "" },
    max: { type: ["integer", "null"], default: null },
    tags: { type: "array", items: { type: "string" } },
    screen: {
      type: ["object", "null"],
      required: ["width"],
      properties: { width: { type: "integer" }, height: { type: "integer" } },
    },
    config: {
      type: "object",
      required: ["image"],
      properties: { image: { type: "string" }, pull: { default: "missing" } },
    },
  },
};

Deno.test("the body of a new record has what is set and differs from its default", () => {
  assert.deepEqual(
    buildNewBody(SCHEMA, {
      name: "a",
      description: "",
      max: undefined,
      screen: { width: undefined },
      config: { image: "x", pull: undefined },
      unknown: 1,
    }),
    { name: "a", config: { image: "x" } },
  );
});

Deno.test("the body of a change has what was changed, and empties what was cleared", () => {
  const current = {
    name: "a",
    description: "old",
    max: 5,
    tags: ["x"],
    screen: { width: 1, height: 2 },
    config: { image: "x", pull: "missing" },
  };
  assert.deepEqual(buildChanges(SCHEMA, {}, current), {});
  assert.deepEqual(
    buildChanges(SCHEMA, {
      name: "a",
      description: undefined,
      max: undefined,
      tags: undefined,
      screen: { width: undefined, height: undefined },
      config: { image: "y", pull: "missing" },
    }, current),
    {
      description: "",
      max: null,
      tags: [],
      screen: null,
      config: { image: "y", pull: "missing" },
    },
  );
});

Deno.test("required members that are empty are missing, those of an optional object only if it is used", () => {
  const paths = (values: Readonly<Record<string, unknown>>, current = {}) =>
    findMissing(SCHEMA, values, current).map(({ path }) => path);
  assert.deepEqual(paths({}), ["name", "config.image"]);
  assert.deepEqual(
    paths({ name: "a", screen: { height: 1 }, config: { image: "x" } }),
    ["screen.width"],
  );
  assert.deepEqual(
    paths({ name: undefined }, { name: "a", config: { image: "x" } }),
    ["name"],
  );
});

Deno.test("a fault of an item stands at the list with its place", () => {
  const faults = [
    { path: "tags", message: "too long" },
    { path: "tags.2", message: "is empty" },
    { path: "tagsets", message: "unknown" },
  ];
  assert.deepEqual(listMessages(faults, "tags", { isWhole: true }), [
    "too long",
    "2: is empty",
  ]);
  assert.deepEqual(listMessages(faults, "tags", { isWhole: false }), [
    "too long",
  ]);
});
