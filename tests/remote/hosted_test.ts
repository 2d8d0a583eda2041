import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { z } from "@hono/zod-openapi";
import { hostApi } from "../../src/hosted.ts";
import { eventually } from "../support/eventually.ts";
import { TEST_KEY, testGrid } from "../support/grid.ts";
import { startHranaServer } from "../support/hrana_server.ts";
import { countedStarts, createWorker, TOKEN } from "./scene.ts";

const APP = fileURLToPath(new URL("hosted_app.ts", import.meta.url));
const ENTRY = fileURLToPath(new URL("../../src/hosted.ts", import.meta.url));

/** The hosted API in a process that may use the network and read its variables, and nothing else. */
async function startHosted(
  env: Readonly<Record<string, string>>,
): Promise<AsyncDisposable & { readonly url: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-check", "--no-prompt"],
      ...["--allow-net", "--allow-env", APP],
    ],
    env: { NO_COLOR: "1", BROWSERGRID_LOG_LEVEL: "error", ...env },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await output.read();
  return {
    url: value.trim(),
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await output.cancel();
      await child.status;
    },
  };
}

Deno.test("Deno.serve() with the hosted API and a remote database serves clients, beside a server whose workers run the sessions", async () => {
  await using database = await startHranaServer({ authToken: TOKEN });
  await using server = await testGrid({
    listen: true,
    settings: {
      database_url: database.url,
      database_auth_token: TOKEN,
      api_key: "key-of-the-grid",
    },
  });
  await using hosted = await startHosted({
    BROWSERGRID_DATABASE_URL: `${database.url}?authToken=${TOKEN}`,
    BROWSERGRID_PUBLIC_URL: server.url,
    BROWSERGRID_API_KEY: "key-of-the-grid",
    BROWSERGRID_ENCRYPTION_KEY: TEST_KEY,
  });
  async function call(method: string, path: string, json?: unknown) {
    const response = await fetch(`${hosted.url}${path}`, {
      method,
      headers: {
        "x-api-key": "key-of-the-grid",
        ...(json ? { "content-type": "application/json" } : {}),
      },
      ...(json ? { body: JSON.stringify(json) } : {}),
    });
    return { status: response.status, body: await response.json() };
  }
  const stranger = await fetch(`${hosted.url}/v1/sessions`);
  assert.equal(stranger.status, 401);
  await stranger.body?.cancel();
  assert.equal((await call("GET", "/ready")).status, 200);
  const pool = { name: "pool", provider_type: "local" };
  const made = await call("POST", "/v1/workerpool/pools", pool);
  assert.equal(made.status, 201);
  const { fake, provider } = countedStarts();
  await Deno.mkdir(`${server.dataDir}/worker`);
  await using _worker = await createWorker(server, provider, {
    name: "worker",
    apiKey: "key-of-the-grid",
    capacity: 1,
  });
  const { status, body } = await call("POST", "/v1/sessions?wait=20", {});
  assert.deepEqual([status, body.status], [201, "running"]);
  assert.ok(fake.running.has(body.id));
  const gateway = `${
    server.url.replace("http", "ws")
  }/v1/sessions/${body.id}/cdp`;
  assert.ok(body.connect_url.startsWith(gateway), body.connect_url);
  assert.equal((await call("DELETE", `/v1/sessions/${body.id}`)).status, 202);
  await eventually("the session ends", async () => {
    const { body: { status } } = await call("GET", `/v1/sessions/${body.id}`);
    return status === "completed";
  });
  const missing = await call("GET", "/v1/sessions/none");
  assert.equal(missing.body.code, "session_not_found");
});

const graphSchema = z.object({
  roots: z.array(z.string()),
  redirects: z.record(z.string(), z.string()),
  modules: z.array(z.object({
    specifier: z.string(),
    dependencies: z.array(z.object({
      code: z.object({ specifier: z.string().optional() }).optional(),
      isDynamic: z.boolean().default(() => false),
    })).default([]),
  })),
});

/** Lists the modules that are loaded with a module, without its dynamic imports. */
async function loadedWith(entry: string): Promise<readonly string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
  }).output();
  const graph = graphSchema.parse(JSON.parse(new TextDecoder().decode(stdout)));
  const modules = new Map(graph.modules.map((each) => [each.specifier, each]));
  const loaded = new Set(graph.roots);
  for (const specifier of loaded) {
    const found = modules.get(graph.redirects[specifier] ?? specifier);
    for (const { code, isDynamic } of found?.dependencies ?? []) {
      if (code?.specifier && !isDynamic) loaded.add(code.specifier);
    }
  }
  return [...loaded];
}

/** Libraries that say of themselves that they run wherever `fetch` does. */
const FOR_FETCH = [
  "@hono/zod-openapi",
  "@logtape/logtape",
  "drizzle-orm",
  "hono",
  "ipaddr.js",
  "uuidv7",
  "zod",
];

/** The parts of others that do: the rest of them is native, or needs Node. */
const PARTS_FOR_FETCH = ["@libsql/client/web"];

Deno.test("the hosted API loads no module of Node, and only libraries made for fetch platforms", async () => {
  const loaded = await loadedWith(ENTRY);
  assert.ok(loaded.some((each) => each.endsWith("/src/http/router.ts")));
  assert.deepEqual(loaded.filter((each) => each.startsWith("node:")), []);
  const libraries = loaded.flatMap((each) => {
    const found = /^npm:\/?((?:@[^/]+\/)?[^/@]+)(?:@[^/]*)?(.*)$/.exec(each);
    return found ? [{ name: found[1] ?? "", part: found[2] ?? "" }] : [];
  });
  const others = libraries.filter(({ name, part }) =>
    !FOR_FETCH.includes(name) && !PARTS_FOR_FETCH.includes(name + part)
  );
  assert.deepEqual(others, []);
});

/** Required settings of a hosted API. No server listens at that database URL. */
const NEEDED = {
  BROWSERGRID_DATABASE_URL: "http://127.0.0.1:1",
  BROWSERGRID_PUBLIC_URL: "https://grid.example",
  BROWSERGRID_API_KEY: "key",
  BROWSERGRID_ENCRYPTION_KEY: TEST_KEY,
  BROWSERGRID_LOG_LEVEL: "error",
};

Deno.test("the hosted API distinguishes clients by the address from the platform", async () => {
  const limit = { requests_per_second: 0.001, burst: 1 };
  using api = hostApi({
    ...NEEDED,
    BROWSERGRID_MIDDLEWARE: JSON.stringify([
      { name: "rate_limit", options: { per_address: limit } },
    ]),
  });
  const statuses: number[] = [];
  for (const hostname of ["192.0.2.1", "192.0.2.1", "192.0.2.2"]) {
    const request = new Request("http://grid.example/v1/sessions");
    const { status } = await api.fetch(request, { remoteAddr: { hostname } });
    statuses.push(status);
  }
  assert.deepEqual(statuses, [401, 429, 401]);
});

Deno.test("hostApi() rejects a local database, a missing public URL, and a missing key", () => {
  const refuses = (change: Readonly<Record<string, string>>, why: RegExp) =>
    assert.throws(() => hostApi({ ...NEEDED, ...change }), why);
  refuses({ BROWSERGRID_DATABASE_URL: "" }, /over database "": it is not/);
  refuses(
    { BROWSERGRID_DATABASE_URL: "file:a.db" },
    /it is not remote, expected libsql:/,
  );
  refuses({ BROWSERGRID_PUBLIC_URL: "" }, /in BROWSERGRID_PUBLIC_URL$/);
  refuses({ BROWSERGRID_API_KEY: "" }, /as key in BROWSERGRID_API_KEY$/);
  const open = JSON.stringify([{ name: "api_key", enabled: false }]);
  refuses({ BROWSERGRID_MIDDLEWARE: open }, /"api_key" to be enabled$/);
  refuses({ BROWSERGRID_ENCRYPTION_KEY: "" }, /in BROWSERGRID_ENCRYPTION_KEY/);
  hostApi(NEEDED)[Symbol.dispose]();
});

Deno.test("a server and a hosted API with another key than the database's end with a reason, and store no secret", async () => {
  await using database = await startHranaServer({ authToken: TOKEN });
  const settings = {
    database_url: database.url,
    database_auth_token: TOKEN,
    api_key: "key-of-the-grid",
  };
  await using server = await testGrid({ settings });
  const other = { ...settings, encryption_key: "ab".repeat(32) };
  const differs = /here is key [0-9a-f]{8}, expected the same encryption_key/;
  await assert.rejects(testGrid({ settings: other }), differs);
  await assert.rejects(
    testGrid({ settings, hasKeyFile: true }),
    /there is no key, expected 32 random bytes in BROWSERGRID_ENCRYPTION_KEY/,
  );
  using hosted = hostApi({
    ...NEEDED,
    BROWSERGRID_DATABASE_URL: `${database.url}?authToken=${TOKEN}`,
    BROWSERGRID_ENCRYPTION_KEY: "ab".repeat(32),
  });
  const response = await hosted.fetch(
    new Request("http://grid.example/v1/workerpool/pools", {
      method: "POST",
      headers: { "x-api-key": "key", "content-type": "application/json" },
      body: JSON.stringify({
        name: "pool",
        provider_type: "local",
        default_environment: { TOKEN: "secret" },
      }),
    }),
  );
  const { code, detail } = await response.json();
  assert.deepEqual([response.status, code], [500, "encryption_key_mismatch"]);
  assert.match(detail, differs);
  const { items } = await server.pools.list({ limit: 10 });
  assert.deepEqual(items, []);
});
