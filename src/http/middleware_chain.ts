import type { z } from "@hono/zod-openapi";
import { suggestNearest } from "../core/nearest.ts";
import type { MiddlewareHandler } from "hono";
import type {
  GridEnv,
  Middleware,
  MiddlewareCore,
} from "../core/middleware.ts";
import { Registry } from "../core/registry.ts";
import { checkHead, checkHost } from "./server/request_checks.ts";
import { type Settings, SettingsError } from "../core/settings.ts";
import { PARSED_ONCE } from "../core/schema.ts";

type Entry = NonNullable<Settings["middleware"]>[number];

/** Name of the middleware that determines the caller. */
const AUTHENTICATION = "api_key";

/**
 * Returns the handlers of the middleware that the settings enable, in the order of incoming requests.
 *
 * `known` is in the default order. The entries of the setting keep their order among themselves; middleware that the
 * setting does not name keeps its place and its defaults, so that no list can lose the key check by omitting it.
 *
 * A middleware with a `beforeAuth` hook runs on both sides of the key check, wherever it is listed: the hook before it,
 * its handler, which knows the caller, after it.
 *
 * @throws {SettingsError} If an entry's name or options are invalid, or a name is listed twice.
 */
export function createChain(
  known: Iterable<Middleware>,
  core: MiddlewareCore,
): readonly MiddlewareHandler<GridEnv>[] {
  const registry = new Registry("middleware", known);
  const entries = arrange(registry, core.settings.middleware ?? [])
    .filter(({ enabled }) => enabled);
  const auth: MiddlewareHandler<GridEnv>[] = [];
  const beforeAuth: MiddlewareHandler<GridEnv>[] = [];
  const afterAuth: MiddlewareHandler<GridEnv>[] = [];
  let list = beforeAuth;
  for (const { name, options } of entries) {
    const middleware = registry.get(name);
    const parsed = parse(middleware, options);
    const hook = middleware.beforeAuth?.(parsed, core) ??
      middleware.guard?.(parsed, core);
    const handler = middleware.create(parsed, core);
    if (hook) beforeAuth.push(hook);
    if (name === AUTHENTICATION) {
      auth.push(handler);
      list = afterAuth;
    } else if (middleware.beforeAuth || middleware.guard) {
      afterAuth.push(handler);
    } else list.push(handler);
  }
  return [
    ...beforeAuth,
    // After the hooks and the log, which see every request, but before the key is checked.
    checkHead(core.settings),
    ...auth,
    ...afterAuth,
    checkHost(core.settings),
    completeResponse,
  ];
}

/** Returns an entry for every known middleware. Listed ones share their default places, in the order of the list. */
function arrange(
  registry: Registry<Middleware>,
  listed: readonly Entry[],
): readonly Entry[] {
  const names = new Set<string>();
  for (const { name } of listed) {
    check(registry, name);
    if (names.has(name)) {
      throw new SettingsError(
        `Cannot use middleware "${name}": it is listed twice, expected each name once`,
      );
    }
    names.add(name);
  }
  const rest = listed.values();
  return [...registry].map(({ name, isOnByDefault = true }) => {
    const next = names.has(name) ? rest.next().value : undefined;
    return next ?? { name, enabled: isOnByDefault, options: {} };
  });
}

function check(known: Iterable<Middleware>, name: string): void {
  const names = [...known].map((each) => each.name);
  if (names.includes(name)) return;
  throw new SettingsError(
    `Cannot use middleware "${name}": it is unknown${
      suggestNearest(name, names) || "."
    } Known are ${names.join(", ")}`,
  );
}

function parse(
  { name, optionsSchema }: Middleware,
  options: Entry["options"],
): Record<string, unknown> {
  const parsed = optionsSchema.safeParse(options, PARSED_ONCE);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) =>
    describe(issue, optionsSchema)
  );
  throw new SettingsError(
    `Cannot use middleware "${name}": ${faults.join("; ")}`,
  );
}

function describe(issue: z.core.$ZodIssue, schema: z.ZodObject): string {
  const path = issue.path.map(String);
  if (issue.code !== "unrecognized_keys") {
    return `option ${[...path, issue.message].join(": ")}`;
  }
  const known = listOptions(schema, path);
  const unknown = issue.keys[0] ?? "";
  return `option "${[...path, unknown].join(".")}" is unknown${
    suggestNearest(unknown, known) || "."
  } Known are ${known.join(", ")}`;
}

/** Returns the names of the options below `path`. */
function listOptions(schema: unknown, path: readonly string[]): string[] {
  const object = unwrapSchema(schema);
  if (typeof object !== "object" || object === null || !("shape" in object)) {
    return [];
  }
  const shape: Record<string, unknown> = { ...object.shape ?? {} };
  const [first, ...rest] = path;
  return first === undefined
    ? Object.keys(shape)
    : listOptions(shape[first], rest);
}

/** Returns the schema inside defaults and optionals. */
function unwrapSchema(schema: unknown): unknown {
  let inner = schema;
  while (
    typeof inner === "object" && inner !== null && "unwrap" in inner &&
    typeof inner.unwrap === "function"
  ) inner = inner.unwrap();
  return inner;
}

/** The innermost step: turns the outcome of any app into a response that middleware can modify. */
const completeResponse: MiddlewareHandler<GridEnv> = async (c, next) => {
  try {
    await next();
  } catch (thrown) {
    // Hono converts only an `Error` into a response; another value would skip all middleware.
    throw thrown instanceof Error
      ? thrown
      : new Error(`Not an Error was thrown: ${String(thrown)}`);
  }
  if (isImmutable(c.res.headers)) c.res = new Response(c.res.body, c.res);
};

/** Reports whether headers are immutable, as in a fetched response. */
function isImmutable(headers: Headers): boolean {
  try {
    headers.delete("x-no-such-header");
    return false;
  } catch {
    return true;
  }
}
