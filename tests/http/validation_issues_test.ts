import assert from "node:assert/strict";
import { z } from "zod";
import { nameKnownMembers } from "../../src/http/openapi/unknown_members.ts";
import { describeFaults } from "../../src/http/validation_issues.ts";

const schema = z.strictObject({
  resource_group: z.string(),
  api_server: z.string().optional(),
  labels: z.record(z.string().min(2), z.string()).optional(),
  inner: z.strictObject({ size: z.number() }).optional(),
});

function describe(input: unknown): string {
  nameKnownMembers();
  const { error } = schema.safeParse(input);
  return describeFaults(error?.issues ?? []).detail;
}

const CASES: readonly (readonly [string, unknown, string])[] = [
  ["an absent member is missing", {}, "resource_group: is missing"],
  [
    "a member of another type",
    { resource_group: 5 },
    "resource_group: expected string, received number",
  ],
  [
    "an unknown name near a known one",
    { resource_group: "g", apiserver: "x" },
    '"apiserver" is unknown, did you mean "api_server"? Known are resource_group, api_server, labels, inner',
  ],
  [
    "an unknown name far from all",
    { resource_group: "g", color: "x" },
    '"color" is unknown. Known are resource_group, api_server, labels, inner',
  ],
  [
    "an unknown name of an inner object",
    { resource_group: "g", inner: { size: 1, sise: 2 } },
    'inner: "sise" is unknown, did you mean "size"? Known are size',
  ],
  [
    "no input",
    undefined,
    "is missing",
  ],
];

for (const [name, input, expected] of CASES) {
  Deno.test(`describeFaults() describes ${name}`, () => {
    assert.equal(describe(input), expected);
  });
}
