import assert from "node:assert/strict";
import { createClient } from "../../src/client/client.ts";
import { assertNothingLeft } from "../support/leaks.ts";
import { runNode } from "../support/node_client.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";

const PAGE = "data:text/html,<title>Through the grid</title>";

/** A whole grid in a process of its own, with a folder that is removed afterwards. */
async function startGrid(
  env: Readonly<Record<string, string>> = {},
): Promise<
  AsyncDisposable & {
    readonly program: RunningProgram;
    readonly url: string;
    readonly dataDir: string;
  }
> {
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
  const program = startProgram(
    ["serve", "--with-worker", "--port", "0", "--data-dir", dataDir],
    env,
  );
  const [, url = ""] = await program.until(/API +(http:\S+)\/v1/);
  return {
    program,
    url,
    dataDir,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await assertNothingLeft(dataDir);
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}

Deno.test("Playwright connects over http to a session's connect URL", async () => {
  await using grid = await startGrid();
  const session = await createClient({ apiUrl: grid.url }).createSession({}, {
    waitSeconds: 30,
  });
  const url = session.connect_url.replace(/^ws/, "http");
  const { stdout, stderr } = await runNode(
    `import { chromium } from "playwright-core";
     const browser = await chromium.connectOverCDP(${JSON.stringify(url)});
     const page = await browser.newPage();
     await page.goto(${JSON.stringify(PAGE)});
     console.log(await page.title());
     await browser.close();`,
  );
  assert.equal(stderr, "");
  assert.equal(stdout.trim(), "Through the grid");
});

Deno.test("serve ends within 10 s of SIGTERM with code 0 while a browser runs, and leaves nothing", async () => {
  await using grid = await startGrid();
  const client = createClient({ apiUrl: grid.url });
  const { id } = await client.createSession({}, { waitSeconds: 30 });
  assert.ok(id);
  const startedAt = performance.now();
  grid.program.kill("SIGTERM");
  const { code } = await grid.program.status;
  assert.equal(code, 0, grid.program.output());
  assert.ok(performance.now() - startedAt < 10_000);
  await assertNothingLeft(grid.dataDir);
});

Deno.test("a doubled Ctrl+C, as from a task runner, still ends everything in order", async () => {
  await using grid = await startGrid();
  const client = createClient({ apiUrl: grid.url });
  await client.createSession({}, { waitSeconds: 30 });
  grid.program.kill("SIGINT");
  grid.program.kill("SIGINT");
  const { code } = await grid.program.status;
  assert.equal(code, 0, grid.program.output());
  await assertNothingLeft(grid.dataDir);
});

Deno.test("Playwright connects over http to the server's connect address", async () => {
  await using grid = await startGrid();
  const { stdout, stderr } = await runNode(
    `import { chromium } from "playwright-core";
     const browser = await chromium.connectOverCDP("${grid.url}/v1/connect");
     console.log(browser.version());
     await browser.close();`,
  );
  assert.equal(stderr, "");
  assert.match(stdout, /^\d+\./);
});

Deno.test("with keep_alive a client finds its page unchanged by the connect URL of its first socket", async () => {
  await using grid = await startGrid();
  const url = `${grid.url.replace("http", "ws")}/v1/connect?keep_alive=60`;
  const { stdout, stderr } = await runNode(
    `import { once } from "node:events";
     import puppeteer from "puppeteer-core";
     import { WebSocket } from "ws";
     const socket = new WebSocket(${JSON.stringify(url)});
     let connectUrl;
     socket.on("upgrade", ({ headers }) => {
       connectUrl = headers["browsergrid-connect-url"];
     });
     await once(socket, "open");
     const transport = {
       send: (message) => socket.send(message),
       close: () => socket.close(),
     };
     socket.on("message", (data) => transport.onmessage?.(String(data)));
     socket.on("close", () => transport.onclose?.());
     const first = await puppeteer.connect({ transport });
     const [page] = await first.pages();
     await page.goto(${JSON.stringify(PAGE)});
     await page.evaluate("globalThis.mark = 'as it was'");
     const closed = once(socket, "close");
     await first.disconnect();
     await closed;
     const again = await puppeteer.connect({
       browserWSEndpoint: connectUrl,
     });
     const [same] = await again.pages();
     console.log(await same.title(), await same.evaluate("globalThis.mark"));
     await again.disconnect();`,
  );
  assert.equal(stderr, "");
  assert.equal(stdout.trim(), "Through the grid as it was");
  const { items: [session] } = await createClient({ apiUrl: grid.url })
    .listSessions();
  assert.deepEqual([session?.status, session?.keep_alive_seconds], [
    "running",
    60,
  ]);
});

Deno.test("killing a browser crashes its session and closes its clients", async () => {
  await using grid = await startGrid();
  const client = createClient({ apiUrl: grid.url });
  const session = await client.createSession({}, { waitSeconds: 30 });
  const socket = new WebSocket(session.connect_url);
  await new Promise((resolve) => socket.onopen = resolve);
  const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
  Deno.kill(Number(session.details.pid), "SIGKILL");
  assert.equal((await closed).code, 1011);
  // The record follows the socket.
  let status = session.status;
  for (let look = 0; status === "running" && look < 100; look++) {
    status = (await client.getSession(session.id)).status;
  }
  assert.equal(status, "crashed");
});

Deno.test("a restarted grid keeps its database and sweeps the browsers of the killed one", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
  const args = ["serve", "--with-worker", "--port", "0", "--data-dir", dataDir];
  try {
    const first = startProgram(args);
    const [, url = ""] = await first.until(/API +(http:\S+)\/v1/);
    const before = await createClient({ apiUrl: url }).createSession({}, {
      waitSeconds: 30,
    });
    first.kill("SIGKILL");
    await first[Symbol.asyncDispose]();
    await using second = startProgram(args);
    const [, again = ""] = await second.until(/API +(http:\S+)\/v1/);
    const client = createClient({ apiUrl: again });
    const adopted = await client.getSession(before.id);
    assert.equal(adopted.status, "running", "the browser was adopted");
    const socket = new WebSocket(adopted.connect_url);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    const closed = new Promise((resolve) => socket.onclose = resolve);
    socket.close();
    await closed;
    await client.stopSession(before.id);
    await second[Symbol.asyncDispose]();
    await assertNothingLeft(dataDir);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("a key is required when one is set, and is in no output", async () => {
  const key = "secret-key-0123456789";
  await using grid = await startGrid({ BROWSERGRID_API_KEY: key });
  const refused = await fetch(`${grid.url}/v1/sessions`);
  assert.equal(refused.status, 401);
  await refused.body?.cancel();
  const client = createClient({ apiUrl: grid.url, apiKey: key });
  const session = await client.createSession({}, { waitSeconds: 30 });
  assert.equal(session.status, "running");
  const { stdout } = await runNode(
    `import puppeteer from "puppeteer-core";
     const browser = await puppeteer.connect({
       browserWSEndpoint: ${JSON.stringify(session.connect_url)},
     });
     console.log(await browser.version());
     await browser.disconnect();`,
  );
  assert.match(stdout, /Chrome/);
  assert.ok(!grid.program.output().includes(key));
});
