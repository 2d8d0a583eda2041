import assert from "node:assert/strict";
import { assertRefused } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { testGrid } from "../../support/grid.ts";
import {
  BOOTSTRAP_KEY,
  type KeyedGrid,
  keyedGrid,
} from "../../support/keys.ts";

const COOKIE = /^((?:__Host-)?browsergrid_sign_in\w*)=([^;]*); (.*)$/;

const FORBIDDEN = { status: 403, code: "forbidden" };
const UNAUTHORIZED = { status: 401, code: "unauthorized" };

const CSRF = { "x-browsergrid-csrf": "1" };

type Headers = Readonly<Record<string, string>>;

/** Requests of a page, with the cookies that the browser has. */
function openPage(grid: Pick<KeyedGrid, "request">, host = "localhost:8765") {
  const jar = new Map<string, string>();
  async function call(
    method: string,
    path: string,
    { json, headers = {} }: {
      readonly json?: unknown;
      readonly headers?: Headers;
    } = {},
  ) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`)
      .join("; ");
    const response = await grid.request(`/v1${path}`, {
      method,
      json,
      headers: { host, ...(cookie ? { cookie } : {}), ...headers },
    });
    const set = response.headers.get("set-cookie");
    const [, name = "", value = "", attributes = ""] = COOKIE.exec(set ?? "") ??
      [];
    if (value !== "") jar.set(name, value);
    else if (set !== null) jar.delete(name);
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : text,
      attributes,
    };
  }
  return {
    jar,
    call,
    signIn: (key: string) => call("POST", "/auth/sign-in", { json: { key } }),
    caller: async () => (await call("GET", "/auth/caller")).body,
  };
}

Deno.test("a sign-in sets a cookie that scripts cannot read, with the rights of its key and the same sessions", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  const { key, id, prefix } = await grid.key();
  const { id: session } = await grid.as(key).session();
  const page = openPage(grid);
  assertRefused(await page.call("GET", "/sessions"), UNAUTHORIZED);
  const { status, body, attributes, text } = await page.signIn(key);
  assert.equal(status, 200, text);
  assert.deepEqual(
    [body.id, body.name, body.role, body.key_required, body.signed_in],
    [id, prefix, "client", true, true],
  );
  assert.match(attributes, /Path=\/; HttpOnly; SameSite=Strict$/);
  assert.match(attributes, /Max-Age=43200/);
  assert.doesNotMatch(attributes, /Secure/);
  const { body: { items } } = await page.call("GET", "/sessions");
  assert.deepEqual(items.map((each: { id: string }) => each.id), [session]);
  assertRefused(await page.call("GET", "/keys"), FORBIDDEN);
  assert.deepEqual(await page.caller(), body);
});

Deno.test("requests with the cookie that may change something need the header against forged requests and an origin of the server", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  const page = openPage(grid);
  await page.signIn(BOOTSTRAP_KEY);
  const pause = (headers: Headers) =>
    page.call("POST", "/workerpool/pools/pool/pause", { headers });
  assertRefused(await pause({}), FORBIDDEN, /no header x-browsergrid-csrf/);
  assertRefused(
    await pause({ ...CSRF, origin: "http://localhost:9000" }),
    { status: 403, code: "origin_not_allowed" },
  );
  assertRefused(
    await pause({ ...CSRF, "sec-fetch-site": "same-site" }),
    { status: 403, code: "origin_not_allowed" },
  );
  const own = { ...CSRF, origin: "http://localhost:8765" };
  assert.equal((await pause(own)).status, 200);
  const withKey = { "x-api-key": BOOTSTRAP_KEY };
  assert.equal((await pause(withKey)).status, 200);
});

Deno.test("a sign-out ends one sign-in, and everywhere all of its key but those of others", async () => {
  await using grid = await keyedGrid();
  const { key } = await grid.key();
  const [one, two, three] = [openPage(grid), openPage(grid), openPage(grid)];
  for (const page of [one, two, three]) await page.signIn(key);
  const admin = openPage(grid);
  await admin.signIn(BOOTSTRAP_KEY);
  const [kept] = [...one.jar];
  const out = await one.call("POST", "/auth/sign-out", {
    json: {},
    headers: CSRF,
  });
  assert.equal(out.status, 204);
  assert.equal(one.jar.size, 0);
  // A copy of the cookie is worthless too.
  one.jar.set(...kept ?? ["", ""]);
  assertRefused(await one.call("GET", "/sessions"), UNAUTHORIZED);
  assert.ok((await two.caller()).signed_in);
  // The sign-in of the cookie ends, even if a header has a key.
  await two.call("POST", "/auth/sign-out", {
    json: { everywhere: true },
    headers: { "x-api-key": BOOTSTRAP_KEY },
  });
  assertRefused(await three.call("GET", "/sessions"), UNAUTHORIZED);
  assert.ok((await admin.caller()).signed_in);
  assert.equal((await grid.as(key).call("GET", "/sessions")).status, 200);
});

Deno.test("a sign-in ends with its key, and with a changed setting api_key", async () => {
  await using grid = await keyedGrid();
  const { key, id } = await grid.key();
  const page = openPage(grid);
  await page.signIn(key);
  await grid.admin.call("DELETE", `/keys/${id}`);
  assertRefused(await page.call("GET", "/sessions"), UNAUTHORIZED);
  const soon = new Date(Date.now() + 60_000).toISOString();
  const short = await grid.key({ expires_at: soon });
  const { body } = await openPage(grid).signIn(short.key);
  assert.equal(body.expires_at, soon);

  const dataDir = await Deno.makeTempDir();
  try {
    const open = (api_key: string) =>
      testGrid({ dataDir, settings: { api_key } });
    let cookie: readonly [string, string] = ["", ""];
    {
      await using first = await open("first-key-0123456789");
      const other = openPage(first);
      await other.signIn("first-key-0123456789");
      cookie = [...other.jar][0] ?? cookie;
    }
    for (const [name, status] of [["first", 200], ["second", 401]] as const) {
      await using next = await open(`${name}-key-0123456789`);
      const other = openPage(next);
      other.jar.set(...cookie);
      assert.equal((await other.call("GET", "/sessions")).status, status, name);
    }
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("a sign-in ends with its key, even if a server of the previous version has revoked it", async () => {
  const clock = createFakeClock();
  await using grid = await keyedGrid({ clock });
  const { key, id } = await grid.key();
  const [page, admin] = [openPage(grid), openPage(grid)];
  await page.signIn(key);
  await admin.signIn(BOOTSTRAP_KEY);
  // That server does not know sign-ins, and leaves their rows.
  await grid.core.db.client.execute({
    sql: "UPDATE api_keys SET revoked_at = ? WHERE id = ?",
    args: [clock.now(), id],
  });
  clock.advance(11_000);
  assertRefused(await page.call("GET", "/sessions"), UNAUTHORIZED);
  assert.ok((await admin.caller()).signed_in);
});

Deno.test("only keys of admins and clients sign in, and the key of a sign-in is valid in its cookie only", async () => {
  await using grid = await keyedGrid();
  const page = openPage(grid);
  for (const role of ["worker", "metrics"] as const) {
    const { key } = await grid.key({ role });
    assertRefused(
      await page.signIn(key),
      FORBIDDEN,
      /role is (worker|metrics)/,
    );
  }
  assertRefused(await page.signIn("wrong"), UNAUTHORIZED, /key is wrong/);
  const { key } = await grid.key();
  page.jar.set("browsergrid_sign_in_8765", key);
  assertRefused(await page.call("GET", "/sessions"), UNAUTHORIZED);
  page.jar.clear();
  await page.signIn(key);
  const [[, secret] = []] = [...page.jar];
  assertRefused(
    await grid.as(secret ?? "").call("GET", "/sessions"),
    UNAUTHORIZED,
  );
  assertRefused(await openPage(grid).signIn(secret ?? ""), UNAUTHORIZED);
});

Deno.test("sign-ins are no keys: they are not listed, found, or counted as admin keys", async () => {
  await using grid = await testGrid({
    settings: { host: "0.0.0.0", api_key: BOOTSTRAP_KEY },
  });
  const page = openPage(grid);
  await page.signIn(BOOTSTRAP_KEY);
  const { body: { items } } = await page.call("GET", "/keys");
  assert.deepEqual(items, []);
  const { rows } = await grid.core.db.client.execute(
    "SELECT id, prefix, hash FROM api_keys",
  );
  assert.equal(rows.length, 1);
  const [[, secret = ""] = []] = [...page.jar];
  assert.doesNotMatch(JSON.stringify(rows), new RegExp(secret));
  for (const name of ["id", "prefix"]) {
    const path = `/keys/${rows[0]?.[name]}`;
    assert.equal((await page.call("GET", path)).status, 404);
    const gone = await page.call("DELETE", path, { headers: CSRF });
    assert.equal(gone.status, 404);
  }
});

Deno.test("a key has at most 50 sign-ins, and the oldest end first", async () => {
  await using grid = await keyedGrid();
  const { key } = await grid.key();
  const first = openPage(grid);
  await first.signIn(key);
  const second = openPage(grid);
  await second.signIn(key);
  for (let count = 2; count <= 50; count++) await openPage(grid).signIn(key);
  const { rows } = await grid.core.db.client.execute(
    "SELECT count(*) AS count FROM api_keys WHERE signed_in_for IS NOT NULL",
  );
  assert.equal(rows[0]?.count, 50);
  assertRefused(await first.call("GET", "/sessions"), UNAUTHORIZED);
  assert.ok((await second.caller()).signed_in);
});

Deno.test("without keys no person needs to sign in, and a cookie of an ended sign-in does no harm", async () => {
  await using grid = await testGrid();
  const page = openPage(grid);
  page.jar.set("browsergrid_sign_in_8765", "bg_aaaaaaaa_wrong");
  const caller = await page.caller();
  assert.deepEqual(
    [caller.id, caller.role, caller.key_required, caller.signed_in],
    ["anonymous", "admin", false, false],
  );
  assertRefused(await page.signIn("anything"), UNAUTHORIZED);
});

Deno.test("the cookie is Secure behind https, and each port of a host has its own", async () => {
  await using grid = await keyedGrid({
    settings: { public_url: "https://grid.example" },
  });
  const page = openPage(grid, "grid.example");
  const { attributes } = await page.signIn(BOOTSTRAP_KEY);
  assert.match(attributes, /Secure/);
  assert.deepEqual([...page.jar.keys()], ["__Host-browsergrid_sign_in"]);
  assert.ok((await page.caller()).signed_in);
  const [[, secret = ""] = []] = [...page.jar];
  // Another host of the domain could have set this one.
  page.jar.clear();
  page.jar.set("browsergrid_sign_in", secret);
  assertRefused(await page.call("GET", "/sessions"), UNAUTHORIZED);
});

Deno.test("a sign-in needs no other key, even if open_paths lists other paths", async () => {
  await using grid = await keyedGrid({
    settings: {
      middleware: [{ name: "api_key", options: { open_paths: ["/health"] } }],
    },
  });
  const page = openPage(grid);
  assert.equal((await page.signIn(BOOTSTRAP_KEY)).status, 200);
  assert.equal((await page.caller()).role, "admin");
  assertRefused(await openPage(grid).call("GET", "/sessions"), UNAUTHORIZED);
});
