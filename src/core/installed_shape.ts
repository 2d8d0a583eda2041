import { z } from "@hono/zod-openapi";
import { ROLES } from "./auth.ts";

const functionSchema = z.custom((value) => typeof value === "function", {
  error: "expected a function",
});

/** Known by what it can do: it may come from another copy of Hono. */
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
  tags: z.record(z.string(), z.string()).optional(),
  upgradeRoles: z.array(z.enum(ROLES)).optional(),
  upgrade: functionSchema.optional(),
  protectSecrets: functionSchema.optional(),
  ready: functionSchema.optional(),
});

/**
 * Returns what an app's `setup()` has returned. Plugins in plain JavaScript are checked by nobody else.
 *
 * @throws {TypeError} If it has not the shape of an installed app; says each fault.
 */
export function checkInstalled<T>(app: { readonly name: string }, value: T): T {
  const faults = faultsOf(value);
  if (faults.length === 0) return value;
  throw new TypeError(
    `Cannot set up app "${app.name}": what its setup() returns has a wrong shape: ${
      faults.join("; ")
    }; expected { manager?, routes?, tags?, upgrade?, upgradeRoles?, ready? }`,
  );
}

function faultsOf(value: unknown): readonly string[] {
  if (value instanceof Promise) {
    return ["it is a promise, and what takes time belongs into ready()"];
  }
  const parsed = installedSchema.safeParse(value);
  if (parsed.success) return [];
  return parsed.error.issues.map((issue) =>
    [...issue.path, wordsOf(issue)].join(": ")
  );
}

/** A version that is none is said as what is wrong with it, not with the record. */
function wordsOf(issue: z.core.$ZodIssue): string {
  return issue.code === "invalid_key"
    ? issue.issues.map(({ message }) => message).join(", ")
    : issue.message;
}
