import assert from "node:assert/strict";
import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { access, allow } from "../../../src/http/auth/access.ts";
import { type Role, ROLES } from "../../../src/core/caller.ts";
import type { GridEnv } from "../../../src/core/middleware.ts";
import { buildRouter, createRouter } from "../../../src/http/router.ts";

/** Creates a router with varied routes. A header sets the role of the caller. */
function router(): OpenAPIHono<GridEnv> {
  const inner = createRouter();
  inner.get("/deep/silent", (c) => c.text("reached"));
  inner.get("/deep/said", allow("worker"), (c) => c.text("reached"));
  // Hono wraps the handlers of an app with an error handler.
  inner.onError((error) => {
    throw error;
  });
  const v1 = createRouter();
  v1.use("*", async (_c, next) => await next());
  v1.get("/silent", (c) => c.text("reached"));
  // Has the form of middleware, and responds.
  v1.get("/silent-with-next", (c, _next) => c.text("reached"));
  v1.all("/any", (c) => c.text("reached"));
  v1.get("/before/any", (c) => c.text("reached"));
  v1.use("/before/*", allow("client"));
  v1.get("/by-list", allow("client", "worker"), (c) => c.text("reached"));
  v1.openapi(
    createRoute({
      method: "get",
      path: "/things/{id}",
      ...access("client"),
      responses: { 200: { description: "It" } },
    }),
    (c) => c.text("reached"),
  );
  v1.route("/", inner);
  return buildRouter({
    version: "1.2.3",
    middleware: [
      async function beSomebody(c, next) {
        const role = ROLES.find((each) => each === c.req.header("x-role"));
        if (role) c.set("caller", { id: role, name: role, role });
        await next();
      },
    ],
    apps: [{ manager: {}, routes: { v1 } }],
    checkReady: () => Promise.resolve(),
  });
}

const REACHED: Readonly<Record<string, readonly Role[]>> = {
  "/v1/silent": ["admin"],
  "/v1/silent-with-next": ["admin"],
  "/v1/any": ["admin"],
  // Middleware on the same path does not declare the route.
  "/v1/before/any": ["admin"],
  "/v1/by-list": ["admin", "client", "worker"],
  "/v1/things/7": ["admin", "client"],
  "/v1/deep/silent": ["admin"],
  "/v1/deep/said": ["admin", "worker"],
};

for (const [path, roles] of Object.entries(REACHED)) {
  Deno.test(`${path} accepts ${roles.join(", ")}, and no other role`, async () => {
    const app = router();
    for (const role of ROLES) {
      const response = await app.request(path, { headers: { "x-role": role } });
      const text = await response.text();
      const isReached = roles.includes(role);
      assert.equal(response.status, isReached ? 200 : 403, `${role}: ${text}`);
      if (!isReached) assert.equal(JSON.parse(text).code, "forbidden");
    }
    // If no key is needed, callers have the rights of an admin.
    assert.equal((await app.request(path)).status, 200);
  });
}

Deno.test("HEAD needs the roles of GET, and an unknown path is 404 for every role", async () => {
  const app = router();
  const headers = { "x-role": "client" };
  const head = await app.request("/v1/silent", { method: "HEAD", headers });
  assert.equal(head.status, 403);
  const nothing = await app.request("/elsewhere", { headers });
  assert.equal(nothing.status, 404);
});

Deno.test("access() names its roles in the OpenAPI document", async () => {
  const { paths } = await (await router().request("/openapi.json")).json();
  assert.deepEqual(paths["/v1/things/{id}"].get["x-roles"], [
    "admin",
    "client",
  ]);
});
