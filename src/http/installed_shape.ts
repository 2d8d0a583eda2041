import { z } from "@hono/zod-openapi";
import { ROLES } from "../core/caller.ts";
import { PARSED_ONCE } from "../core/schema.ts";

const functionSchema = z.custom((value) => typeof value === "function", {
  error: "expected a function",
});

/** Detects a router by its methods, because it may come from another copy of Hono. */
const routerSchema = z.custom(
  (value) =>
    typeof value === "object" && value !== null && "routes" in value &&
    Array.isArray(value.routes) && "fetch" in value,
  { error: "expected a router, as createRouter() makes it" },
);

const installedSchema = z.strictObject({
  manager: z.unknown().optional(),
  routes: z.record(
    z.string().regex(/^v[1-9]\d*$/, "expected a version, such as v1"),
    routerSchema,
  ).optional(),
  rootRoutes: routerSchema.optional(),
  routesOnDemand: z.strictObject({
    paths: z.array(
      z.string().regex(
        /^(\/:?[\w.-]+)+$/,
        "expected a path without a slash at its end, such as /v1/things",
      ),
    ),
    load: functionSchema,
  }).optional(),
  tags: z.record(z.string(), z.string()).optional(),
  upgradeRoles: z.array(z.enum(ROLES)).optional(),
  upgrade: functionSchema.optional(),
  protectSecrets: functionSchema.optional(),
  ready: functionSchema.optional(),
});

/**
 * Validates the value that an app's `setup()` returned. Nothing else checks plugins in plain JavaScript.
 *
 * @throws {TypeError} If the value is not an installed app; names each fault.
 */
export function checkInstalled<T>(app: { readonly name: string }, value: T): T {
  const faults = listFaults(value);
  if (faults.length === 0) return value;
  throw new TypeError(
    `Cannot set up app "${app.name}": its setup() returned an invalid value: ${
      faults.join("; ")
    }; expected { manager?, routes?, routesOnDemand?, tags?, upgrade?, upgradeRoles?, ready? }`,
  );
}

function listFaults(value: unknown): readonly string[] {
  if (value instanceof Promise) {
    return [
      "it is a promise, and asynchronous work belongs in ready()",
    ];
  }
  const parsed = installedSchema.safeParse(value, PARSED_ONCE);
  if (parsed.success) return [];
  return parsed.error.issues.map((issue) =>
    [...issue.path, describeIssue(issue)].join(": ")
  );
}

/** Returns the messages of an issue; for an invalid version the message of the version's schema. */
function describeIssue(issue: z.core.$ZodIssue): string {
  return issue.code === "invalid_key"
    ? issue.issues.map(({ message }) => message).join(", ")
    : issue.message;
}
