import assert from "node:assert/strict";
import puppeteer from "puppeteer-core";
import { createClient } from "../../../src/client/client.ts";
import { eventually } from "../../support/eventually.ts";
import { startCluster } from "../../support/kubernetes/cluster.ts";
import { clusterTest } from "../../support/kubernetes/scene.ts";
import { runProgram, startProgram } from "../../support/program.ts";
import { waitUntil } from "../../support/provider_machine.ts";

clusterTest(
  "a grid with a worker outside the cluster hands over warm browsers in pods, which outlive a killed worker",
  async () => {
    await using cluster = await startCluster();
    const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
    try {
      await using server = startProgram(
        ["serve", "--port", "0", "--data-dir", dataDir],
      );
      const [, url = ""] = await server.until(/API +(http:\S+)\/v1/);
      const env = { BROWSERGRID_API_URL: url };
      const created = await runProgram([
        ...["pool", "create", "kubernetes", "--name", "pods", "--json"],
        ...["--api-server", cluster.url, "--token", cluster.token],
        ...["--namespace", "browsers", "--pull", "never"],
      ], env);
      assert.equal(created.code, 0, created.stderr);
      assert.ok(!created.stdout.includes(cluster.token));
      const client = createClient({ apiUrl: url });
      const { id } = JSON.parse(created.stdout);
      await client.patchPool(id, { min_ready: 1 });
      const work = ["worker", "--work-pool-id", id, "--data-dir", dataDir];
      const first = startProgram(work, env);
      await first.until(/serves work pool/);
      await eventually(
        "a browser is ready",
        async () => (await client.getPoolPressure(id)).ready === 1,
      );
      const session = await client.createSession({ work_pool_id: id }, {
        waitSeconds: 60,
      });
      assert.equal(session.status, "running", session.status_reason ?? "");
      assert.ok(session.warm);
      await readTitle(session.connect_url);
      first.kill("SIGKILL");
      await first[Symbol.asyncDispose]();
      await using second = startProgram(work, env);
      await second.until(/serves work pool/);
      await eventually("the browser is reached again", async () => {
        await readTitle(session.connect_url);
        return true;
      });
      await client.stopSession(session.id);
      await client.patchPool(id, { min_ready: 0 });
      await waitUntil(async () => (await cluster.listResources()).length === 0);
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
);

/** Opens a page through the gateway, the worker's tunnel and the port-forward. */
async function readTitle(url: string): Promise<void> {
  const browser = await puppeteer.connect({ browserWSEndpoint: url });
  const page = await browser.newPage();
  await page.goto("data:text/html,<title>In a pod</title>");
  assert.equal(await page.title(), "In a pod");
  await browser.disconnect();
}
