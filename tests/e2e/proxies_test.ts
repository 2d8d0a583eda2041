import assert from "node:assert/strict";
import process from "node:process";
import { createClient } from "../../src/client/client.ts";
import { installChrome } from "../../src/providers/local/install/install_chrome.ts";
import { startCountingProxy } from "../support/counting_proxy.ts";
import { startHranaServer } from "../support/hrana_server.ts";
import { assertNothingLeft } from "../support/leaks.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { startTlsFront } from "../support/tls_front.ts";

function createProxies(url: string) {
  return {
    ...{ HTTP_PROXY: url, HTTPS_PROXY: url, ALL_PROXY: url, NO_PROXY: "" },
    // The runtime checks for its own updates.
    DENO_NO_UPDATE_CHECK: "1",
  };
}

/** Creates a folder that is removed after everything of the grid has ended. */
async function folder(stack: AsyncDisposableStack): Promise<string> {
  const path = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
  stack.defer(() => Deno.remove(path, { recursive: true }));
  stack.defer(() => assertNothingLeft(path));
  return path;
}

Deno.test("a grid on one machine reaches itself and its browsers without the environment's proxies", async () => {
  await using stack = new AsyncDisposableStack();
  const dataDir = await folder(stack);
  const proxy = stack.use(await startCountingProxy());
  const env = createProxies(proxy.url);
  const serve = stack.use(startProgram(
    ["serve", "--with-worker", "--port", "0", "--data-dir", dataDir],
    env,
  ));
  const [, url = ""] = await serve.until(/API +(http:\S+)\/v1/);
  const { code, stdout, stderr } = await runProgram(
    ["session", "create", "--wait", "--json", "--api-url", url],
    env,
  );
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).status, "running");
  assert.deepEqual(proxy.seen, []);
});

Deno.test("a worker and its tunnel reach the server through the environment's proxy", async () => {
  await using stack = new AsyncDisposableStack();
  const dataDir = await folder(stack);
  const proxy = stack.use(
    await startCountingProxy({ credentials: "user:pass" }),
  );
  const serve = stack.use(startProgram(
    ["serve", "--port", "0", "--data-dir", `${dataDir}/server`],
    { BROWSERGRID_ALLOWED_HOSTS: '["grid.test"]' },
  ));
  const [, url = ""] = await serve.until(/API +(http:\S+)\/v1/);
  const front = stack.use(await startTlsFront(url));
  const client = createClient({ apiUrl: url });
  for (const address of [url, front.url]) {
    const { protocol, port } = new URL(address);
    const pool = protocol.slice(0, -1);
    await client.createPool({ name: pool, provider_type: "local" });
    const before = proxy.seen.length;
    await using worker = startProgram(
      [
        ...["worker", "--work-pool-id", pool, "--reach", "tunnel"],
        ...["--api-url", `${protocol}//grid.test:${port}`],
        ...["--data-dir", `${dataDir}/${pool}`],
      ],
      { ...createProxies(proxy.url), DENO_CERT: front.certificate },
    );
    await worker.until(/Tunnel opened/);
    const { id } = await client.createSession({ work_pool_id: pool }, {
      waitSeconds: 60,
    });
    assert.match(await client.getSessionContent(id), /<html/);
    const connects = proxy.seen.slice(before).filter((each) =>
      each === `CONNECT grid.test:${port}`
    );
    // The control connection, and at least one stream of content.
    assert.ok(connects.length >= 2, proxy.seen.join("\n"));
    await client.stopSession(id);
  }
  const asked = proxy.seen.some((each) => each.startsWith("POST http://grid"));
  assert.ok(asked, proxy.seen.join("\n"));
});

Deno.test("a remote database is reached through the environment's proxy", async () => {
  await using database = await startHranaServer();
  await using proxy = await startCountingProxy();
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
  const { port } = new URL(database.url);
  const { code, stderr } = await runProgram(
    [
      ...["migrate", "--data-dir", dataDir],
      ...["--database-url", `http://db.test:${port}`],
    ],
    createProxies(proxy.url),
  );
  assert.equal(code, 0, stderr);
  assert.ok(proxy.seen.length > 0);
  assert.ok(proxy.seen.every((each) => each.includes("//db.test:")));
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("a browser is downloaded through the environment's proxy", async () => {
  await using proxy = await startCountingProxy();
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
  using archive = serveNothing();
  process.env["HTTP_PROXY"] = proxy.url;
  try {
    await assert.rejects(installChrome(folder, {
      onProgress: () => {},
      buildId: "1.2.3.4",
      baseUrl: `http://storage.test:${archive.port}`,
    }));
  } finally {
    delete process.env["HTTP_PROXY"];
    await Deno.remove(folder, { recursive: true });
  }
  assert.equal(archive.requests(), 1);
  assert.match(proxy.seen[0] ?? "", /GET http:\/\/storage\.test:.*1\.2\.3\.4/);
});

/** Starts a server that responds 404. */
function serveNothing() {
  let requests = 0;
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => {
      requests++;
      return new Response("none", { status: 404 });
    },
  );
  return {
    port: server.addr.port,
    requests: () => requests,
    [Symbol.dispose]: () => void server.shutdown(),
  };
}
