import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { ROLES } from "../../../../core/caller.ts";
import type { GridEnv } from "../../../../core/middleware.ts";
import {
  access,
  declareRoute,
  getCaller,
} from "../../../../http/auth/access.ts";
import {
  CSRF_HEADER,
  readSignInCookie,
  setSignInCookie,
} from "../../../../http/auth/sign_in_cookie.ts";
import { getBaseUrl } from "../../../../http/base_url.ts";
import { createRouter, problemResponses } from "../../../../http/router.ts";
import { callerSchema, signInSchema, signOutSchema } from "../../schemas.ts";
import type { SignIns } from "../../sign_ins.ts";

const tags = ["Sign-in"];

const callerContent = { "application/json": { schema: callerSchema } };

const getCallerRoute = createRoute({
  method: "get",
  path: "/auth/caller",
  tags,
  operationId: "getCaller",
  ...access(...ROLES),
  summary: "Get the caller of this request",
  responses: {
    200: { description: "The caller", content: callerContent },
    ...problemResponses("invalid_request"),
  },
});

const signIn = createRoute({
  method: "post",
  path: "/auth/sign-in",
  tags,
  operationId: "signIn",
  ...declareRoute({ isOpen: true }),
  summary: "Sign in with a key",
  description:
    `Sets a cookie with the rights of the key for 12 hours, which scripts cannot read and pages of other sites cannot use. Requests with the cookie and a method other than GET need the header ${CSRF_HEADER}: 1.`,
  request: {
    body: {
      required: true,
      content: { "application/json": { schema: signInSchema } },
    },
  },
  responses: {
    200: { description: "The caller", content: callerContent },
    ...problemResponses("invalid_request", "unauthorized", "forbidden"),
  },
});

const signOut = createRoute({
  method: "post",
  path: "/auth/sign-out",
  tags,
  operationId: "signOut",
  ...access("client"),
  summary: "Sign out",
  description:
    "This server rejects the cookie at once, other servers of the same database within 10 seconds.",
  request: {
    body: {
      required: true,
      content: { "application/json": { schema: signOutSchema } },
    },
  },
  responses: {
    204: { description: "The cookie is removed" },
    ...problemResponses("invalid_request"),
  },
});

/** Creates the endpoints of sign-ins. */
export function createSignInRoutes(signIns: SignIns): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(
    getCallerRoute,
    async (c) => c.json(await signIns.renderCaller(getCaller(c)), 200),
  );
  router.openapi(signIn, async (c) => {
    const { key, caller, lifetimeSeconds } = await signIns.signIn(
      c.req.valid("json").key,
    );
    setSignInCookie(c, key, Math.floor(lifetimeSeconds));
    return c.json(await signIns.renderCaller(caller), 200);
  });
  router.openapi(signOut, async (c) => {
    const key = readSignInCookie({
      headers: c.req.raw.headers,
      baseUrl: getBaseUrl(c),
    }) ?? "";
    const { everywhere } = c.req.valid("json");
    await signIns.signOut({ key, everywhere });
    setSignInCookie(c, undefined);
    return c.body(null, 204);
  });
  return router;
}
