import assert from "node:assert/strict";
import { allow, declareRoute } from "../../../src/http/auth/access.ts";
import { RouteTable } from "../../../src/http/auth/route_table.ts";
import { createRouter } from "../../../src/http/router.ts";

const OPEN = { isOpen: true };
const QUIET = { roles: ["client"], isQuiet: true } as const;

function createTable(): RouteTable {
  const router = createRouter();
  const v1 = createRouter();
  router.use("*", async (_c, next) => await next());
  router.use("/v1/*", allow("worker"));
  v1.get("/open", declareRoute(OPEN).middleware, (c) => c.body(null));
  v1.get("/plain", (c) => c.body(null));
  v1.post("/plain", declareRoute(OPEN).middleware, (c) => c.body(null));
  v1.all("/any", (c) => c.body(null));
  v1.post("/any", declareRoute(OPEN).middleware, (c) => c.body(null));
  v1.get(
    "/things/:id/:kind{page|browser}",
    declareRoute(QUIET).middleware,
    (c) => c.body(null),
  );
  router.route("/v1", v1);
  return new RouteTable(router);
}

Deno.test("RouteTable.find() returns the declaration of a route and the values of its path", () => {
  const table = createTable();
  for (let count = 0; count < 2; count++) {
    const route = table.find("GET", "/v1/things/a%20b/page");
    assert.deepEqual(route, {
      pattern: "/v1/things/{id}/{kind}",
      declaration: QUIET,
      params: { id: "a%20b", kind: "page" },
    });
  }
  assert.deepEqual(table.find("GET", "/v1/things/c/browser")?.params, {
    id: "c",
    kind: "browser",
  });
});

Deno.test("RouteTable.find() returns the route of GET for HEAD, and a route of another method if this one has none", () => {
  const table = createTable();
  for (const method of ["GET", "HEAD", "PUT", "OPTIONS"]) {
    assert.equal(table.find(method, "/v1/open")?.declaration, OPEN, method);
  }
});

Deno.test("RouteTable.find() never returns another method's declaration for a route without one", () => {
  const table = createTable();
  assert.equal(table.find("GET", "/v1/plain"), undefined);
  assert.equal(table.find("POST", "/v1/plain")?.declaration, OPEN);
  for (const method of ["GET", "POST", "DELETE"]) {
    assert.equal(table.find(method, "/v1/any"), undefined, method);
  }
});

Deno.test("RouteTable.find() returns nothing for a path that only middleware matches", () => {
  assert.equal(createTable().find("GET", "/v1/nothing"), undefined);
});
