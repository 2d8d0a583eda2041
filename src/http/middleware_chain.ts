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

type Entry = NonNullable<Settings["middleware"]>[number];

/** The middleware before which guards run: those behind it see only requests that it lets in. */
const ADMISSION = "api_key";

/**
 * Handlers of the middleware that the settings ask for, in the order of requests in.
 *
 * `known` is in the default order. The entries of the setting keep their order among themselves; what the setting does not
 * name keeps its place and its defaults, so that no list can lose the key check by forgetting it.
 *
 * @throws {SettingsError} If an entry's name or options are wrong, or a name stands twice.
 */
export function createChain(
  known: Iterable<Middleware>,
  core: MiddlewareCore,
): readonly MiddlewareHandler<GridEnv>[] {
  const registry = new Registry("middleware", known);
  const entries = arrange(registry, core.settings.middleware ?? []);
  const used = entries.filter(({ enabled }) => enabled);
  const admission = used.findIndex(({ name }) => name === ADMISSION);
  const steps = used.flatMap(({ name, options }, at) => {
    const middleware = registry.get(name);
    const parsed = parse(middleware, options);
    const guard = middleware.guard?.(parsed, core);
    const handler = middleware.create(parsed, core);
    if (!middleware.guard) return [{ at: at + 0.5, handler }];
    const admittedAt = admission === -1 ? at : admission;
    // Its halves stand on both sides of the admission, wherever the list has it: the second knows who asks.
    return [
      ...(guard ? [{ at: Math.min(at, admittedAt), handler: guard }] : []),
      { at: Math.max(at, admittedAt) + 0.75, handler },
    ];
  });
  steps.push({
    // Runs behind the guards and the log, so that both see the request, but before the key is checked.
    at: admission === -1 ? used.length : admission + 0.25,
    handler: checkHead(core.settings),
  });
  steps.sort((a, b) => a.at - b.at);
  return [
    ...steps.map(({ handler }) => handler),
    checkHost(core.settings),
    completeResponse,
  ];
}

/** Every known middleware once. The places of those that are listed are filled with them in the order of the list. */
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
  const parsed = optionsSchema.safeParse(options);
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

/** Names of the options below `path`. */
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

/** The schema below defaults and optionals. */
function unwrapSchema(schema: unknown): unknown {
  let inner = schema;
  while (
    typeof inner === "object" && inner !== null && "unwrap" in inner &&
    typeof inner.unwrap === "function"
  ) inner = inner.unwrap();
  return inner;
}

/** The innermost step: whatever an app does, its answer can be worked on by every half on the way out. */
const completeResponse: MiddlewareHandler<GridEnv> = async (c, next) => {
  try {
    await next();
  } catch (thrown) {
    // Hono turns only an `Error` into an answer; anything else would pass all of them by.
    throw thrown instanceof Error
      ? thrown
      : new Error(`Not an Error was thrown: ${String(thrown)}`);
  }
  if (isImmutable(c.res.headers)) c.res = new Response(c.res.body, c.res);
};

/** Whether headers are those of an answer that was fetched from elsewhere. */
function isImmutable(headers: Headers): boolean {
  try {
    headers.delete("x-no-such-header");
    return false;
  } catch {
    return true;
  }
}
