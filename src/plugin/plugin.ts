/**
 * Plugins: apps, middleware and providers from outside this repository, in the default export of one module.
 *
 * A module that is loaded from a file cannot import from here, because the program may be compiled. Its default export is
 * a function that receives {@linkcode pluginApi}.
 *
 * @module
 */
import { createRoute, z } from "@hono/zod-openapi";
import { access, allow, declareRoute } from "../http/auth/access.ts";
import { defineApp } from "../core/app.ts";
import { systemClock } from "../async/clock.ts";
import { defineProblems, GridError } from "../core/errors.ts";
import { hostFromDriver } from "../providers/kit/host_from_driver.ts";
import { createLogger } from "../core/log.ts";
import { every } from "../async/every.ts";
import { beforeAfter, defineMiddleware } from "../core/middleware.ts";
import { defineProvider, defineProviderCommand } from "../core/provider.ts";
import { createRouter, problemResponses } from "../http/router.ts";

/** An app: a part of the server with tables, endpoints and background work. */
export type App = ReturnType<PluginApi["defineApp"]>;

/** A middleware: a step of every request and response. */
export type Middleware = ReturnType<PluginApi["defineMiddleware"]>;

/** A provider, which runs browsers on some infrastructure. */
export type Provider = ReturnType<PluginApi["defineProvider"]>;

/** Problem codes with status, title and, where it helps to wait, a number of seconds. */
export type Problems = Parameters<PluginApi["defineProblems"]>[0];

/** Apps, middleware and providers of one plugin. */
export interface Plugin {
  /** Name of the plugin in messages. */
  readonly name: string;
  /** Apps, installed after the built-in ones or in the order of the setting `apps`. */
  readonly apps?: readonly App[];
  /** Middleware, after the built-in ones or in the order of the setting `middleware`. */
  readonly middleware?: readonly Middleware[];
  /** Providers, listed after the built-in ones. */
  readonly providers?: readonly Provider[];
  /** Problem codes of its middleware and providers. An app declares its own. */
  readonly problems?: Problems;
}

/** The contracts, helpers and libraries that a plugin loaded from a file cannot import. */
export const pluginApi = {
  z,
  createRoute,
  createRouter,
  /** Members of a route's `responses` for problem codes. */
  problemResponses,
  /** @deprecated Use `problemResponses`. */
  refusals: problemResponses,
  /** Part of `createRoute()` that names the roles that may use it. By default only admins may. */
  access,
  /** Part of `createRoute()` that declares more than roles, such as no limit for its requests. */
  declareRoute,
  /** The same as {@linkcode access} as middleware, for routes that are made without `createRoute()`. */
  allow,
  defineApp,
  defineMiddleware,
  beforeAfter,
  defineProvider,
  defineProviderCommand,
  defineProblems,
  GridError,
  /** Creates a provider's host from the operations that differ between infrastructures. */
  hostFromDriver,
  /** @deprecated Use `hostFromDriver`. */
  hostOf: hostFromDriver,
  /** Background work that is repeated, retried, and ends with its app. */
  every,
  clock: systemClock,
  /** Creates a logger: `createLogger("notes", "store")`. */
  createLogger,
  /** @deprecated Use `createLogger`. */
  logOf: createLogger,
} as const;

/** Type of {@linkcode pluginApi}. */
export type PluginApi = typeof pluginApi;

/** Default export of a plugin's module: the plugin, or a function that creates it. */
export type PluginExport =
  | Plugin
  | ((api: PluginApi) => Plugin | Promise<Plugin>);

/** Declares a plugin with its type checked. */
export function definePlugin<P extends PluginExport>(plugin: P): P {
  return plugin;
}

const nameSchema = z.string().regex(
  /^[a-z][a-z0-9_]*$/,
  "expected lower-case letters, digits and _",
);
const functionSchema = z.custom((value) => typeof value === "function", {
  error: ({ input }) =>
    input === undefined
      ? "is missing, expected a function"
      : "expected a function",
});
/** Detects a zod object by its methods, because it may come from another copy of zod. */
const zodObjectSchema = z.custom(
  (value) =>
    typeof value === "object" && value !== null && "shape" in value &&
    "safeParse" in value,
  { error: "expected a zod object, such as z.strictObject({})" },
);
const problemsSchema = z.record(
  nameSchema,
  z.looseObject({
    status: z.int().min(400).max(599),
    title: z.string().min(1),
    retryAfterSeconds: z.number().positive().optional(),
  }),
);
const appSchema = z.looseObject({
  name: nameSchema,
  verboseName: z.string().min(1),
  migrations: z.instanceof(URL).refine(
    ({ href }) => href.startsWith("file:") && href.endsWith("/"),
    'expected a file URL that ends in "/"',
  ).optional(),
  problems: problemsSchema.optional(),
  setup: functionSchema,
});
const middlewareSchema = z.looseObject({
  name: nameSchema,
  optionsSchema: zodObjectSchema,
  create: functionSchema,
  beforeAuth: functionSchema.optional(),
  guard: functionSchema.optional(),
});
const commandSchema = z.looseObject({
  name: z.string().min(1),
  description: z.string().min(1),
  optionsSchema: zodObjectSchema.optional(),
  run: functionSchema,
});
const providerSchema = z.looseObject({
  name: nameSchema,
  displayName: z.string().min(1),
  description: z.string().min(1),
  configSchema: zodObjectSchema,
  browsers: functionSchema,
  poolConfig: functionSchema.optional(),
  deployCommand: functionSchema,
  commands: z.array(commandSchema).optional(),
  open: functionSchema,
});
const pluginSchema = z.strictObject({
  name: nameSchema,
  apps: z.array(appSchema).optional(),
  middleware: z.array(middlewareSchema).optional(),
  providers: z.array(providerSchema).optional(),
  problems: problemsSchema.optional(),
});

/** Returns the faults in the shape of `value`, one sentence each; empty if it is a {@linkcode Plugin}. */
export function listPluginFaults(value: unknown): readonly string[] {
  const parsed = pluginSchema.safeParse(value);
  if (parsed.success) return [];
  return parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join(".")}: ${message}`
  );
}

/** Reports whether `value` has the shape of a plugin. The types of its functions are not checked. */
export function isPlugin(value: unknown): value is Plugin {
  return listPluginFaults(value).length === 0;
}
