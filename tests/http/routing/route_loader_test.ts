import assert from "node:assert/strict";
import type { App, InstalledApp } from "../../../src/core/app.ts";
import { rejectSharedRoutes } from "../../../src/http/install_apps.ts";
import { buildRouter, createRouter } from "../../../src/http/router.ts";

/** Creates a router with routes below `/v1/things` that are loaded on demand. */
function createGrid({ fails = 0 }: { fails?: number } = {}) {
  let loads = 0;
  const handled: string[] = [];
  const app: InstalledApp = {
    manager: {},
    routesOnDemand: {
      paths: ["/v1/things"],
      load() {
        if (loads++ < fails) return Promise.reject(new Error("no such module"));
        const v1 = createRouter();
        v1.get("/things", (c) => c.text("all"));
        v1.get("/things/:id", (c) => c.text(c.req.param("id")));
        v1.post("/things", async (c) => c.json(await c.req.json(), 201));
        return Promise.resolve({ routes: { v1 } });
      },
    },
  };
  const router = buildRouter({
    version: "1.2.3",
    middleware: [
      async function listHandled(c, next) {
        handled.push(c.req.path);
        await next();
      },
    ],
    apps: [app],
    checkReady: () => Promise.resolve(),
  });
  return { router, handled, countLoads: () => loads };
}

Deno.test("routes on demand are loaded once, by the first request to one of their paths", async () => {
  const { router, handled, countLoads } = createGrid();
  assert.equal((await router.request("/health")).status, 200);
  assert.equal((await router.request("/v1/thingsome")).status, 404);
  assert.equal(countLoads(), 0);
  const first = await Promise.all([
    router.request("/v1/things"),
    router.request("/v1/things/a"),
    router.request("/v1/things/"),
    router.request("/api/v1/things/b"),
  ]);
  const texts = await Promise.all(first.map((response) => response.text()));
  assert.deepEqual(texts, ["all", "a", "all", "b"]);
  assert.equal(await (await router.request("/v1/things/c")).text(), "c");
  assert.equal(countLoads(), 1);
  // The middleware of the server handles each request once.
  assert.deepEqual(handled.toSorted(), [
    "/health",
    "/v1/things",
    "/v1/things",
    "/v1/things/a",
    "/v1/things/b",
    "/v1/things/c",
    "/v1/thingsome",
  ]);
});

Deno.test("the first request to routes on demand keeps its body, method and unknown paths", async () => {
  const { router } = createGrid();
  const created = await router.request("/v1/things", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"size":3}',
  });
  assert.deepEqual([created.status, await created.json()], [201, { size: 3 }]);
  const wrong = await router.request("/v1/things", { method: "DELETE" });
  assert.equal(wrong.status, 405);
  assert.equal(wrong.headers.get("allow"), "GET, POST, HEAD, OPTIONS");
  assert.equal((await router.request("/v1/things/a/b")).status, 404);
});

Deno.test("a failure to load routes on demand is a problem of that request only", async () => {
  const { router, countLoads } = createGrid({ fails: 1 });
  const failed = await router.request("/v1/things");
  assert.equal(failed.status, 500);
  assert.equal((await failed.json()).code, "internal");
  assert.equal((await router.request("/v1/things")).status, 200);
  assert.equal(countLoads(), 2);
});

Deno.test("the API description loads routes on demand", async () => {
  const { router, countLoads } = createGrid();
  assert.equal((await router.request("/openapi.json")).status, 200);
  assert.equal(countLoads(), 1);
});

Deno.test("paths of routes on demand belong to one app", () => {
  const app = (name: string): App => ({
    name,
    displayName: name,
    verboseName: name,
    setup: () => ({ manager: {} }),
  } as App);
  const things: InstalledApp = {
    manager: {},
    routesOnDemand: {
      paths: ["/v1/things"],
      load: () => Promise.resolve({}),
    },
  };
  const v1 = createRouter();
  v1.get("/things/:id/parts", (c) => c.text(""));
  for (const other of [things, { manager: {}, routes: { v1 } }]) {
    assert.throws(
      () =>
        rejectSharedRoutes(
          new Map([[app("things"), things], [app("parts"), other]]),
        ),
      /Cannot set up app "parts": ".+ \/v1\/things.*" is an endpoint of "things"/,
    );
  }
  v1.routes.length = 0;
  v1.get("/thingsome", (c) => c.text(""));
  rejectSharedRoutes(
    new Map([[app("things"), things], [app("parts"), {
      manager: {},
      routes: { v1 },
    }]]),
  );
});
