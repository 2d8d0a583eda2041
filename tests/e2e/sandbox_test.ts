import assert from "node:assert/strict";
import { createClient, type GridClient } from "../../src/client/client.ts";
import { checkBoxSupport } from "../../src/providers/local/sandbox/box_support.ts";
import { assertNothingLeft } from "../support/leaks.ts";
import { runNode } from "../support/node_client.ts";
import { startProgram } from "../support/program.ts";

const KEY = "admin-key-of-the-test-0123456789";

const ability = await checkBoxSupport();
const skip = "problem" in ability ? ability.problem : undefined;

function boxTest(name: string, fn: () => Promise<void>): void {
  if (skip !== undefined) {
    // deno-lint-ignore no-console -- the reason of a skipped test is its result
    console.log(`skipped: ${name}: ${skip}`);
  }
  Deno.test({ name, fn, ignore: skip !== undefined });
}

/** Creates a folder that is removed when no process names it any more. */
async function folder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
  return {
    path,
    async [Symbol.asyncDispose]() {
      await assertNothingLeft(path);
      await Deno.remove(path, { recursive: true });
    },
  };
}

/** Creates a client of the grid with a new key. */
async function newClient(apiUrl: string): Promise<GridClient> {
  const admin = createClient({ apiUrl, apiKey: KEY });
  const { key } = await admin.createKey({ name: "c", role: "client" });
  return createClient({ apiUrl, apiKey: key });
}

/** Returns the text of `url` in a page of the session, by Puppeteer through the gateway. */
async function shown(connectUrl: string, url: string): Promise<string> {
  const { stdout, stderr } = await runNode(
    `import puppeteer from "puppeteer-core";
     const browser = await puppeteer.connect({
       browserWSEndpoint: ${JSON.stringify(connectUrl)},
     });
     const page = await browser.newPage();
     await page.goto(${JSON.stringify(url)});
     console.log(await page.evaluate(() => document.body.innerText));
     await browser.disconnect();`,
  );
  assert.equal(stderr, "");
  return stdout.trim();
}

boxTest(
  "a client's session on serve --with-worker is isolated and reached through the tunnel; an admin's is not isolated",
  async () => {
    await using home = await folder();
    await using server = startProgram(
      ["serve", "--with-worker", "--port", "0", "--data-dir", home.path],
      { BROWSERGRID_API_KEY: KEY },
    );
    const [, url = ""] = await server.until(/API +(http:\S+)\/v1/);
    const client = await newClient(url);
    const session = await client.createSession({}, { waitSeconds: 30 });
    assert.equal(session.status, "running");
    assert.match(
      await shown(session.connect_url, `${url}/health`),
      /^Cannot connect to 127\.0\.0\.1:\d+: it is a loopback address, and the egress of work pool "default" is no_private, expected an entry of the pool's egress_allow$/,
    );
    const admin = createClient({ apiUrl: url, apiKey: KEY });
    const own = await admin.createSession({}, { waitSeconds: 30 });
    assert.match(await shown(own.connect_url, `${url}/health`), /"status"/);
    for (const { id } of [session, own]) await admin.stopSession(id);
  },
);

boxTest(
  "an isolated session and its network survive the kill of the worker, and its browser is reachable again",
  async () => {
    await using home = await folder();
    await using stack = new AsyncDisposableStack();
    const env = { BROWSERGRID_API_KEY: KEY };
    const server = stack.use(startProgram(
      ["serve", "--port", "0", "--data-dir", `${home.path}/server`],
      env,
    ));
    const [, url = ""] = await server.until(/API +(http:\S+)\/v1/);
    const admin = createClient({ apiUrl: url, apiKey: KEY });
    await admin.createPool({ name: "pool", provider_type: "local" });
    const startWorker = async () => {
      const worker = startProgram([
        ...["worker", "--work-pool-id", "pool", "--api-url", url],
        ...["--data-dir", `${home.path}/worker`],
      ], env);
      await worker.until(/serves work pool/);
      return worker;
    };
    const client = await newClient(url);
    const first = await startWorker();
    const session = await client.createSession({}, { waitSeconds: 30 });
    assert.equal(session.status, "running");
    first.kill("SIGKILL");
    await first[Symbol.asyncDispose]();
    stack.use(await startWorker());
    assert.match(
      await shown(session.connect_url, `${url}/health`),
      /^Cannot connect to 127\.0\.0\.1:/,
    );
    await client.stopSession(session.id);
  },
);

Deno.test("serve with client keys rejects local browsers that it cannot isolate, unless local_sandbox is off", async () => {
  await using home = await folder();
  const args = ["serve", "--with-worker", "--port", "0"];
  const env = { BROWSERGRID_API_KEY: KEY, BROWSERGRID_DATA_DIR: home.path };
  {
    await using server = startProgram(args, env);
    const [, url = ""] = await server.until(/API +(http:\S+)\/v1/);
    await newClient(url);
  }
  const bare = { ...env, PATH: "/nowhere" };
  const refused = startProgram(args, bare);
  assert.notEqual((await refused.status).code, 0);
  await refused[Symbol.asyncDispose]();
  assert.match(
    refused.output(),
    /Cannot start a worker of provider "local": there are client keys, and sessions cannot be isolated from this host[^]*local_sandbox to "off"/,
  );
  await using open = startProgram(args, {
    ...bare,
    BROWSERGRID_LOCAL_SANDBOX: "off",
  });
  await open.until(/API +http:/);
});
