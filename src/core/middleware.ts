import type { MiddlewareHandler } from "hono";
import type { z } from "@hono/zod-openapi";
import type { Auth, Caller } from "./auth.ts";
import type { Clock } from "./clock.ts";
import type { Named } from "./registry.ts";
import type { Settings } from "./settings.ts";

/** Variables that the kernel and the built-in middleware put into a request's context. */
export interface GridVariables {
  requestId: string;
  caller: Caller;
}

/** Environment of every router. */
export interface GridEnv {
  Variables: GridVariables;
}

/** What a middleware is given. */
export interface MiddlewareCore {
  readonly settings: Settings;
  readonly auth: Auth;
  readonly clock: Clock;
}

/** A step that every request passes on the way in, and every answer, in reverse order, on the way out. */
export interface Middleware<O extends z.ZodObject = z.ZodObject> extends Named {
  /** Shape of `options` in the `middleware` setting; every member has a default. */
  readonly optionsSchema: O;
  create(options: z.infer<O>, core: MiddlewareCore): MiddlewareHandler<GridEnv>;
}

/** Declares a middleware with its options' type inferred. */
export function defineMiddleware<O extends z.ZodObject>(
  middleware: Middleware<O>,
): Middleware<O> {
  return middleware;
}
