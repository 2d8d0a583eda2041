import assert from "node:assert/strict";
import { newKey } from "../../../src/core/redact.ts";
import type { Role } from "../../../src/core/caller.ts";
import {
  BOOTSTRAP_KEY,
  type KeyedGrid,
  keyedGrid,
} from "../../support/keys.ts";
import { readText } from "../../support/read_text.ts";

const UNKNOWN = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";

/** Paths of the apps that {@linkcode OPEN_TO} lists. Endpoints of other apps are held to the roles that they declare. */
const LISTED =
  /^\/(?!v\d)|^\/v\d+\/(sessions|workerpool|keys|auth|connect|events)(\/|$)/;

/** The endpoints of listed apps that clients or workers may call. All others are for admins only. */
const OPEN_TO: Readonly<Record<string, readonly Role[]>> = {
  "GET /metrics": ["metrics"],
  "GET /v1/auth/caller": ["client", "worker", "metrics"],
  "POST /v1/auth/sign-out": ["client"],
  "GET /v1/sessions": ["client"],
  "POST /v1/sessions": ["client"],
  "GET /v1/sessions/{id}": ["client"],
  "DELETE /v1/sessions/{id}": ["client"],
  "POST /v1/sessions/{id}/refresh": ["client"],
  "POST /v1/sessions/{id}/live-links": ["client"],
  "GET /v1/sessions/{id}/live-links": ["client"],
  "DELETE /v1/sessions/{id}/live-links/{link_id}": ["client"],
  "GET /v1/sessions/{id}/events": ["client"],
  "GET /v1/sessions/{id}/metrics": ["client"],
  "GET /v1/sessions/{id}/logs": ["client"],
  "GET /v1/sessions/{id}/handover": ["client"],
  "POST /v1/sessions/{id}/handover": ["client"],
  "DELETE /v1/sessions/{id}/handover": ["client"],
  "POST /v1/sessions/{id}/handover/finish": ["client"],
  "GET /v1/sessions/{id}/cdp": ["client"],
  "GET /v1/connect": ["client"],
  "GET /v1/sessions/{id}/cdp/json": ["client"],
  "GET /v1/sessions/{id}/cdp/json/": ["client"],
  "GET /v1/sessions/{id}/cdp/json/list": ["client"],
  "GET /v1/sessions/{id}/cdp/json/list/": ["client"],
  "GET /v1/sessions/{id}/cdp/json/version": ["client"],
  "GET /v1/sessions/{id}/cdp/json/version/": ["client"],
  "GET /v1/sessions/{id}/screenshot": ["client"],
  "GET /v1/sessions/{id}/pdf": ["client"],
  "GET /v1/sessions/{id}/content": ["client"],
  "GET /v1/sessions/{id}/cdp/devtools/page/{target_id}": ["client"],
  "PUT /v1/sessions/{id}/cdp/json/new": ["client"],
  "PUT /v1/sessions/{id}/cdp/json/new/": ["client"],
  "GET /v1/sessions/{id}/cdp/json/activate/{target_id}": ["client"],
  "GET /v1/sessions/{id}/cdp/json/activate/{target_id}/": ["client"],
  "GET /v1/sessions/{id}/cdp/json/close/{target_id}": ["client"],
  "GET /v1/sessions/{id}/cdp/json/close/{target_id}/": ["client"],
  "GET /v1/sessions/{id}/cdp/json/protocol": ["client"],
  "GET /v1/sessions/{id}/cdp/json/protocol/": ["client"],
  // Its handshake also needs a proof that only servers have.
  "GET /v1/sessions/{id}/cdp/stream": ["client"],
  "GET /v1/sessions/{id}/live": ["client"],
  "GET /v1/connect/json/version": ["client"],
  "GET /v1/connect/json/version/": ["client"],
  "GET /v1/events": ["client"],
  "GET /v1/events/stream": ["client"],
  "GET /v1/workerpool/pools": ["client"],
  "GET /v1/workerpool/pools/{pool_id}": ["client"],
  "GET /v1/workerpool/pools/{pool_id}/pressure": ["client"],
  "POST /v1/workerpool/workers": ["worker"],
  "GET /v1/workerpool/workers/{worker_id}": ["worker"],
  "PUT /v1/workerpool/workers/{worker_id}/heartbeat": ["worker"],
  "POST /v1/workerpool/workers/{worker_id}/claim-session": ["worker"],
  "POST /v1/workerpool/workers/{worker_id}/browser-events": ["worker"],
  "GET /v1/workerpool/workers/{worker_id}/tunnel": ["worker"],
  "GET /v1/workerpool/workers/{worker_id}/tunnel/{stream_id}": ["worker"],
  "POST /v1/sessions/{id}/events": ["worker"],
  "POST /v1/sessions/{id}/logs": ["worker"],
  "POST /v1/sessions/{id}/metrics": ["worker"],
};

/** Paths that need no key. */
const OPEN_PATHS = [
  ...["/", "/health", "/ready", "/openapi.json", "/docs"],
  "/v1/auth/sign-in",
  // Needs the token of a link.
  "/v1/live",
];

/** Returns every endpoint of the API description and of the router, which has some that are not described. */
async function listEndpoints(grid: KeyedGrid): Promise<ReadonlySet<string>> {
  const { paths } = await (await grid.request("/openapi.json")).json();
  const told = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations ?? {}).map((method) =>
      `${method.toUpperCase()} ${path}`
    )
  );
  const routed = grid.router.routes.filter(({ method, path }) =>
    method !== "ALL" && path.startsWith("/v")
  ).map(({ method, path }) =>
    // For a parameter with choices, the first one represents all.
    `${method} ${
      path.replaceAll(/:\w+\{(\w+)[^}]*\}/g, "$1").replaceAll(
        /:(\w+)/g,
        "{$1}",
      )
    }`
  );
  return new Set([...told, ...routed]);
}

/** Returns the roles that each endpoint of the API description declares. */
async function readDeclaredRoles(
  grid: KeyedGrid,
): Promise<Readonly<Record<string, readonly Role[]>>> {
  const { paths } = await (await grid.request("/openapi.json")).json();
  const entries = Object.entries<Record<string, Record<string, Role[]>>>(paths)
    .flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) =>
        [
          `${method.toUpperCase()} ${path}`,
          operation["x-roles"] ?? [],
        ] as const
      )
    );
  return Object.fromEntries(entries);
}

async function expiredKey(grid: KeyedGrid): Promise<string> {
  const { key, id } = await grid.key({ role: "admin" });
  await grid.core.db.client.execute({
    sql: "UPDATE api_keys SET expires_at = 1 WHERE id = ?",
    args: [id],
  });
  return key;
}

async function revokedKey(grid: KeyedGrid): Promise<string> {
  const { key, id } = await grid.key({ role: "admin" });
  await grid.admin.call("DELETE", `/keys/${id}`);
  return key;
}

type Outcome = "let in" | "unauthorized" | "forbidden";

async function getOutcome(
  grid: KeyedGrid,
  endpoint: string,
  key: string | undefined,
): Promise<Outcome> {
  const [method = "", path = ""] = endpoint.split(" ");
  const response = await grid.request(path.replaceAll(/\{\w+\}/g, UNKNOWN), {
    method,
    headers: key === undefined ? {} : { "x-api-key": key },
  });
  const text = await readText(response);
  if (response.status === 401 || response.status === 403) {
    const { code } = JSON.parse(text);
    assert.ok(code === "unauthorized" || code === "forbidden", text);
    return code;
  }
  assert.ok(response.status < 500, `${endpoint}: ${text}`);
  return "let in";
}

Deno.test("every endpoint accepts exactly the roles that it declares", async () => {
  await using grid = await keyedGrid();
  const callers: readonly [string, string | undefined, Role | undefined][] = [
    ["no key", undefined, undefined],
    ["a wrong key", "nonsense", undefined],
    ["a key of another grid", newKey(), undefined],
    ["an expired key", await expiredKey(grid), undefined],
    ["a revoked key", await revokedKey(grid), undefined],
    ["a client", (await grid.key({ role: "client" })).key, "client"],
    ["a worker", (await grid.key({ role: "worker" })).key, "worker"],
    ["a scraper", (await grid.key({ role: "metrics" })).key, "metrics"],
    ["an admin", (await grid.key({ role: "admin" })).key, "admin"],
    ["the bootstrap key", BOOTSTRAP_KEY, "admin"],
  ];
  const endpoints = await listEndpoints(grid);
  const declared = await readDeclaredRoles(grid);
  for (const known of Object.keys(OPEN_TO)) {
    assert.ok(endpoints.has(known), `${known} is gone`);
  }
  for (const endpoint of endpoints) {
    const isOpen = OPEN_PATHS.includes(endpoint.split(" ")[1] ?? "");
    const isListed = LISTED.test(endpoint.split(" ")[1] ?? "");
    const roles = (isListed ? OPEN_TO : declared)[endpoint] ?? [];
    for (const [who, key, role] of callers) {
      const isFor = role === "admin" ||
        role !== undefined && roles.includes(role);
      const expected = isOpen || isFor
        ? "let in"
        : role === undefined
        ? "unauthorized"
        : "forbidden";
      const outcome = await getOutcome(grid, endpoint, key);
      assert.equal(outcome, expected, `${endpoint} by ${who}`);
    }
  }
});
