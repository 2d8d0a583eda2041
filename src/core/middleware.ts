import type { Context, MiddlewareHandler } from "hono";
import type { z } from "@hono/zod-openapi";
import type { Auth, Caller, Role } from "./caller.ts";
import type { Clock } from "../async/clock.ts";
import type { Named } from "./registry.ts";
import type { Settings } from "./settings.ts";
import type { TraceContext } from "./trace/trace_context.ts";

/** Facts that a route or socket declares once for every part of the server. */
export interface RouteDeclaration {
  /** Roles that may use it, in addition to admins. @default {[]} */
  readonly roles?: readonly Role[];
  /** Requests without a key are accepted, with the rights of an admin. @default {false} */
  readonly isOpen?: boolean;
  /** If keys are required, requests without one are accepted under any host name, as load balancers send them. @default {false} */
  readonly acceptsAnyHost?: boolean;
  /** Requests do not count for the rate limit, unless their key is rejected. @default {false} */
  readonly isUnlimited?: boolean;
  /** Requests may be rejected with `overloaded` before they are handled. @default {false} */
  readonly isSheddable?: boolean;
  /** Successful requests are logged at debug. @default {false} */
  readonly isQuiet?: boolean;
  /** Name of the path parameter with the id of the session whose connect tokens are accepted. By default none are. */
  readonly connectTokenParam?: string;
  /** Returns the purpose for which a replica proof is accepted in place of a key. By default none is. */
  readonly replicaPurpose?: (params: PathParams) => string;
}

/** Values of a path's parameters by name. */
export type PathParams = Readonly<Record<string, string>>;

/** The route of a request. */
export interface MatchedRoute {
  /** Its path with the names of the parameters, such as `/v1/sessions/{id}`. */
  readonly pattern: string;
  readonly declaration: RouteDeclaration;
  readonly params: PathParams;
}

/** Variables that the router and the built-in middleware set in the context of a request. */
export interface GridVariables {
  requestId: string;
  caller: Caller;
  /** Trace of the request's `traceparent`, or of the session that it has created. */
  trace?: TraceContext | undefined;
  /** The declared route of the request's path. Undefined if there is none, or it declares nothing. */
  route?: MatchedRoute | undefined;
  /** URL of the request, once it was parsed. */
  url?: URL;
  /** URL of the server as the request's client reaches it, without a trailing slash. */
  baseUrl?: string;
  /** `upgrade`: the request asks for an upgrade. Its response is sent only if it is not successful. */
  kind?: "upgrade";
}

/** Information of the platform about a request. Members are absent where they are not known. */
export interface GridBindings {
  /** From `node:http`. */
  readonly incoming?: {
    readonly socket?: {
      readonly remoteAddress?: string | undefined;
      /** Closes the connection at once. */
      destroy?(): void;
    };
    readonly httpVersionMajor?: number;
    /** Alternating names and values, as received. */
    readonly rawHeaders?: readonly string[];
  };
  /** From `Deno.serve`. */
  readonly remoteAddr?: Readonly<Record<string, unknown>>;
}

/** Environment of every router. */
export interface GridEnv {
  Variables: GridVariables;
  Bindings: GridBindings;
}

/** Dependencies of a middleware. */
export interface MiddlewareCore {
  readonly settings: Settings;
  readonly auth: Auth;
  readonly clock: Clock;
}

/** A step of every request and, in reverse order, of every response. */
export interface Middleware<O extends z.ZodObject = z.ZodObject> extends Named {
  /** Shape of `options` in the `middleware` setting; every member has a default. */
  readonly optionsSchema: O;
  /** Enabled if the setting does not name it. @default {true} */
  readonly isOnByDefault?: boolean;
  create(options: z.infer<O>, core: MiddlewareCore): MiddlewareHandler<GridEnv>;
  /**
   * Creates a handler that runs before the key is checked and sees requests whose key is rejected. The handler of
   * {@linkcode Middleware.create} then runs after the check, wherever the middleware is listed.
   */
  beforeAuth?(
    options: z.infer<O>,
    core: MiddlewareCore,
  ): MiddlewareHandler<GridEnv> | undefined;
  /** @deprecated Use {@linkcode Middleware.beforeAuth}. */
  guard?(
    options: z.infer<O>,
    core: MiddlewareCore,
  ): MiddlewareHandler<GridEnv> | undefined;
}

/** Declares a middleware with its options' type inferred. */
export function defineMiddleware<O extends z.ZodObject>(
  middleware: Middleware<O>,
): Middleware<O> {
  return middleware;
}

/** A middleware as two functions, one for requests and one for responses. */
export interface Halves<O extends z.ZodObject> extends Named {
  readonly optionsSchema: O;
  readonly isOnByDefault?: boolean;
  /** Runs for a request. A returned response ends it here; a thrown `GridError` rejects it. */
  before?(
    c: Context<GridEnv>,
    options: z.infer<O>,
    core: MiddlewareCore,
  ): Promise<Response | void> | Response | void;
  /** Runs for the response in `c.res`, also if a later step failed. Skipped only if `before` threw. */
  after?(
    c: Context<GridEnv>,
    options: z.infer<O>,
    core: MiddlewareCore,
  ): Promise<void> | void;
}

/** Declares a middleware by its functions for requests and responses. */
export function beforeAfter<O extends z.ZodObject>(
  { before, after, ...declared }: Halves<O>,
): Middleware<O> {
  return {
    ...declared,
    create(options, core) {
      return async function runHalves(c, next) {
        const response = await before?.(c, options, core);
        // Copied, because the headers of a fetched response are immutable.
        if (response) c.res = new Response(response.body, response);
        else await next(); // Never rejects: an error of a later step becomes the response in c.res.
        await after?.(c, options, core);
      };
    },
  };
}
