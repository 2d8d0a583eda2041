import assert from "node:assert/strict";
import type { SessionWire } from "../../src/apps/sessions/schemas.ts";
import { createClient, type GridClient } from "../../src/client/client.ts";
import { systemClock } from "../../src/async/clock.ts";
import { docker, dockerTest, listContainers } from "../support/docker.ts";
import { assertNothingLeft } from "../support/leaks.ts";
import { runNode } from "../support/node_client.ts";
import { runProgram, startProgram } from "../support/program.ts";

/** A page's title, through a session's connect URL, by each of the real clients. */
const CLIENTS = {
  "puppeteer-core": (url: string) =>
    `import puppeteer from "puppeteer-core";
     const browser = await puppeteer.connect({ browserWSEndpoint: "${url}" });
     const page = await browser.newPage();
     await page.goto("data:text/html,<title>In a container</title>");
     console.log(await page.title(), await page.evaluate("navigator.userAgent"));
     await browser.disconnect();`,
  "playwright-core": (url: string) =>
    `import { chromium } from "playwright-core";
     const browser = await chromium.connectOverCDP("${url}");
     const page = await browser.newPage();
     await page.goto("data:text/html,<title>In a container</title>");
     console.log(await page.title(), await page.evaluate("navigator.userAgent"));
     await browser.close();`,
};

/** Labels of the grid on a container. */
async function readGridLabel(containerId: string): Promise<string> {
  const { Config } = await docker.getContainer(containerId).inspect();
  return Config.Labels["browsergrid.grid_id"] ?? "";
}

async function assertNoContainers(gridId: string): Promise<void> {
  for (let look = 0; look < 100; look++) {
    if ((await listContainers(gridId)).length === 0) return;
    await systemClock.sleep(100);
  }
  assert.deepEqual(await listContainers(gridId), []);
}

dockerTest(
  "a pool made on the command line, its worker and the seed request of old give a headful browser in a container",
  async () => {
    const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
    const key = "key-of-this-test-0123";
    try {
      await using server = startProgram(
        ["serve", "--port", "0", "--data-dir", dataDir],
        { BROWSERGRID_API_KEY: key },
      );
      const [, url = ""] = await server.until(/API +(http:\S+)\/v1/);
      const env = { BROWSERGRID_API_URL: url, BROWSERGRID_API_KEY: key };
      const created = await runProgram(
        ["pool", "create", "docker", "--name", "my-docker-pool", "--browser"]
          .concat("chrome", "--browser-version", "latest", "--json"),
        env,
      );
      assert.equal(created.code, 0, created.stderr);
      const pool = JSON.parse(created.stdout);
      await using worker = startProgram(
        ["worker", "--work-pool-id", pool.id, "--data-dir", dataDir],
        env,
      );
      await worker.until(/serves work pool/);
      const seed = await fetch(`${url}/v1/sessions`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-API-Key": key },
        body: JSON.stringify({
          browser: "chrome",
          version: "latest",
          headless: false,
          resource_limits: { cpu: 1, memory: "2G", timeout_minutes: 30 },
          work_pool_id: pool.id,
        }),
      });
      assert.equal(seed.status, 201);
      const { id, connect_url } = await seed.json();
      for (const [name, program] of Object.entries(CLIENTS)) {
        const { stdout, stderr } = await runNode(
          program(`${connect_url}?token=${key}`),
        );
        assert.match(stdout, /^In a container .*Chrome/, `${name}: ${stderr}`);
        assert.doesNotMatch(stdout, /Headless/);
      }
      const client = createClient({ apiUrl: url, apiKey: key });
      const session = await client.getSession(id);
      assert.equal(session.status, "running");
      assert.ok(session.container_id);
      const gridId = await readGridLabel(session.container_id);
      const deploy = await runProgram(
        ["pool", "deploy-command", "my-docker-pool", id],
        env,
      );
      assert.match(deploy.stdout, /^docker run /);
      const stopped = await runProgram(["session", "stop", id], env);
      assert.equal(stopped.code, 0, stopped.stderr);
      await assertNoContainers(gridId);
      assert.equal((await settled(client, id)).status, "completed");
    } finally {
      await assertNothingLeft(dataDir);
      await Deno.remove(dataDir, { recursive: true });
    }
  },
);

dockerTest(
  "a container that is killed makes its session crashed, and nothing of it is left",
  async () => {
    const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
    try {
      await using server = startProgram(
        ["serve", "--with-worker", "docker", "--port", "0"]
          .concat("--data-dir", dataDir),
      );
      const [, url = ""] = await server.until(/API +(http:\S+)\/v1/);
      const client = createClient({ apiUrl: url });
      const { id, container_id, connect_url } = await client.createSession({
        environment: { TOKEN: "hush-variable" },
      }, { waitSeconds: 60 });
      assert.ok(container_id);
      const gridId = await readGridLabel(container_id);
      const socket = new WebSocket(connect_url);
      const closed = new Promise<CloseEvent>((resolve) =>
        socket.onclose = resolve
      );
      await new Promise((resolve) => socket.onopen = resolve);
      await docker.getContainer(container_id).kill();
      assert.equal((await closed).code, 1011);
      await assertNoContainers(gridId);
      const session = await settled(client, id);
      assert.equal(session.status, "crashed");
      assert.ok(session.status_reason);
      assert.ok(!server.output().includes("hush-variable"));
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
);

/** The session once its worker has reported its end, or after 5 s. */
async function settled(client: GridClient, id: string): Promise<SessionWire> {
  let session = await client.getSession(id);
  for (let look = 0; session.status === "running" && look < 100; look++) {
    await systemClock.sleep(50);
    session = await client.getSession(id);
  }
  return session;
}
