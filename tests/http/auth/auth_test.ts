import assert from "node:assert/strict";
import fc from "fast-check";
import {
  authenticateRequest,
  KeyAuth,
  readKey,
} from "../../../src/http/auth/auth.ts";
import { allow, declareRoute } from "../../../src/http/auth/access.ts";
import { RouteTable } from "../../../src/http/auth/route_table.ts";
import { buildRouter, createRouter } from "../../../src/http/router.ts";
import { type Auth } from "../../../src/core/caller.ts";
import { GridError } from "../../../src/core/errors.ts";
import { newKey } from "../../../src/core/redact.ts";
import { createFakeClock } from "../../support/clock.ts";

const SESSION = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";
const OTHER = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5e";

/** Creates a router with routes that accept connect tokens, and others. */
function routed() {
  const v1 = createRouter();
  const { middleware } = declareRoute({
    roles: ["client"],
    connectTokenParam: "id",
  });
  v1.get("/sessions/:id/cdp", middleware, (c) => c.body(null));
  v1.get("/sessions/:id/cdp/json/version", middleware, (c) => c.body(null));
  for (const path of ["/sessions", "/sessions/:id", "/connect"]) {
    v1.get(path, allow("client"), (c) => c.body(null));
  }
  return buildRouter({
    version: "0.0.0",
    middleware: [],
    apps: [{ manager: {}, routes: { v1 } }],
    checkReady: () => Promise.resolve(),
  });
}

const router = routed();
const routes = new RouteTable(router);

function asked(
  auth: Auth,
  path: string,
  headers: Readonly<Record<string, string>> = {},
) {
  const url = new URL(path, "http://grid");
  return authenticateRequest(auth, {
    headers: new Headers(headers),
    route: routes.find("GET", router.getPath(new Request(url))),
    query: url.searchParams,
  });
}

const UNAUTHORIZED = (error: unknown) =>
  error instanceof GridError && error.code === "unauthorized";

Deno.test("KeyAuth rejects every key except the one that is set", async () => {
  const key = "bootstrap-0123456789";
  const auth = new KeyAuth(key);
  const caller = await auth.authenticate(key);
  assert.deepEqual(caller, {
    id: "bootstrap",
    name: "bootstrap",
    role: "admin",
  });
  const near = fc.nat(key.length).chain((at) =>
    fc.constantFrom(key.slice(0, at), key + key.slice(at), `${key}\0`)
  ).filter((text) => text !== key);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.string({ unit: "binary" }), near, fc.constant(newKey())),
      async (wrong) => {
        assert.equal(await auth.authenticate(wrong), "wrong");
      },
    ),
  );
  assert.equal(await auth.authenticate(undefined), "missing");
});

Deno.test("KeyAuth accepts every request if there is no key, unless the server is exposed", async () => {
  const open = new KeyAuth(undefined);
  for (const key of [undefined, "whatever"]) {
    const caller = await open.authenticate(key);
    assert.ok(typeof caller === "object" && caller.id === "anonymous");
  }
  // A key of another grid.
  assert.equal(await open.authenticate(newKey()), "wrong");
  const exposed = new KeyAuth(undefined, { isExposed: true });
  assert.equal(await exposed.authenticate(undefined), "missing");
  assert.equal(await exposed.authenticate("whatever"), "wrong");
});

Deno.test("KeyAuth accepts the key of the program, which differs in each process", async () => {
  const auth = new KeyAuth("bootstrap-0123456789");
  const caller = await auth.authenticate(auth.selfKey);
  assert.ok(typeof caller === "object" && caller.role === "admin");
  const second = new KeyAuth("bootstrap-0123456789");
  assert.equal(await second.authenticate(auth.selfKey), "wrong");
});

Deno.test("readKey() reads X-API-Key, then Authorization, then the query", () => {
  const query = new URLSearchParams({ token: "c" });
  const of = (headers: Record<string, string>) =>
    readKey({ headers: new Headers(headers), query });
  assert.equal(of({ "x-api-key": "a", authorization: "Bearer b" }), "a");
  assert.equal(of({ authorization: "bearer b" }), "b");
  assert.equal(of({ authorization: "Basic b" }), "c");
  // A key that was appended to a connect URL with a token.
  const twice = new URLSearchParams("token=ct_a?token=c");
  assert.equal(readKey({ headers: new Headers(), query: twice }), "c");
});

Deno.test("a connect token is accepted in the query of declared routes of its session, until it expires", async () => {
  const clock = createFakeClock();
  const auth = new KeyAuth("bootstrap-0123456789", {
    clock,
    connectTokenSeconds: 60,
  });
  const token = await auth.connectTokens.issue(SESSION);
  assert.match(token, /^ct_[0-9a-z]+_[0-9A-Za-z_-]{43}$/);
  const own = `/v1/sessions/${SESSION}/cdp`;
  for (const path of [own, `${own}/`, `${own}/json/version`]) {
    const caller = await asked(auth, `${path}?token=${token}`);
    assert.deepEqual(
      [caller.role, caller.sessionId, caller.id],
      ["client", SESSION, `connect:${SESSION}`],
    );
  }
  const refused: [string, Record<string, string>?][] = [
    [`/v1/sessions/${SESSION}?token=${token}`],
    [`/v1/sessions/${OTHER}/cdp?token=${token}`],
    [`/v1/sessions?token=${token}`],
    [`/v1/connect?token=${token}`],
    [`/v1/sessions/${SESSION}/cdpx?token=${token}`],
    [own, { "x-api-key": token }],
    [own, { authorization: `Bearer ${token}` }],
  ];
  for (const [path, headers] of refused) {
    await assert.rejects(asked(auth, path, headers), UNAUTHORIZED, path);
  }
  clock.advance(60_000);
  await assert.rejects(asked(auth, `${own}?token=${token}`), UNAUTHORIZED);
});

Deno.test("only an issued connect token is valid, not a modified one or one of another grid", async () => {
  const clock = createFakeClock();
  const { connectTokens } = new KeyAuth(undefined, { clock });
  const token = await connectTokens.issue(SESSION);
  assert.ok(await connectTokens.isValid(token, SESSION));
  const other = new KeyAuth(undefined, { clock }).connectTokens;
  assert.ok(!await other.isValid(token, SESSION));
  const later = token.replace(/^ct_[^_]+/, `ct_${(9e12).toString(36)}`);
  assert.ok(!await connectTokens.isValid(later, SESSION));
  await fc.assert(
    fc.asyncProperty(
      fc.nat(token.length - 1),
      fc.constantFrom(..."09azAZ_-="),
      async (at, character) => {
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        assert.equal(
          await connectTokens.isValid(changed, SESSION),
          changed === token,
        );
      },
    ),
  );
});
