import assert from "node:assert/strict";
import puppeteer from "puppeteer-core";
import { createClient, type GridClient } from "../../src/client/client.ts";
import { eventually } from "../support/eventually.ts";
import { assertNothingLeft } from "../support/leaks.ts";
import { startProgram } from "../support/program.ts";

/** Process ids of the browsers below `dataDir` that answer, by their records. */
async function browsersIn(dataDir: string): Promise<readonly string[]> {
  const pids: string[] = [];
  async function walk(path: string): Promise<void> {
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      if (isDirectory) await walk(`${path}/${name}`).catch(() => {});
      if (name !== "browser.json") continue;
      const record = JSON.parse(await Deno.readTextFile(`${path}/${name}`));
      if (record.endpoint) pids.push(String(record.pid));
    }
  }
  await walk(`${dataDir}/local`);
  return pids;
}

/** Asks the grid's pool to keep a browser ready, and waits until it is. */
async function keepOneReady(client: GridClient): Promise<void> {
  const [pool] = (await client.listPools()).items;
  assert.ok(pool);
  await client.patchPool(pool.id, { min_ready: 1 });
  await eventually(
    "a browser is ready",
    async () => (await client.getPoolPressure(pool.id)).ready === 1,
  );
}

Deno.test("a session receives a clean warm browser, and keeps it when its grid is killed and restarted", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
  const args = ["serve", "--with-worker", "--port", "0", "--data-dir", dataDir];
  try {
    await using first = startProgram(args);
    const [, url = ""] = await first.until(/API +(http:\S+)\/v1/);
    const client = createClient({ apiUrl: url });
    await keepOneReady(client);
    const [before = ""] = await browsersIn(dataDir);
    const session = await client.createSession({}, { waitSeconds: 30 });
    assert.ok(session.warm);
    assert.equal(session.details.pid, before);
    const browser = await puppeteer.connect({
      browserWSEndpoint: session.connect_url,
    });
    const pages = await browser.pages();
    assert.deepEqual(pages.map((page) => page.url()), ["about:blank"]);
    assert.deepEqual(await browser.cookies(), []);
    await browser.disconnect();
    await keepOneReady(client);
    const unused = (await browsersIn(dataDir)).find((pid) => pid !== before);
    first.kill("SIGKILL");
    await first.status;
    await using second = startProgram(args);
    const [, again = ""] = await second.until(/API +(http:\S+)\/v1/);
    const next = createClient({ apiUrl: again });
    const adopted = await next.getSession(session.id);
    assert.equal(adopted.status, "running");
    const reconnected = await puppeteer.connect({
      browserWSEndpoint: adopted.connect_url,
    });
    assert.match(await reconnected.version(), /Chrome/);
    await reconnected.disconnect();
    await keepOneReady(next);
    assert.ok(unused);
    // The next worker starts a ready browser while it ends the one that the killed worker left.
    await eventually("another browser replaces the unused one", async () => {
      const now = await browsersIn(dataDir);
      return now.includes(before) && !now.includes(unused) && now.length === 2;
    });
    await next.stopSession(session.id);
    await second[Symbol.asyncDispose]();
    await assertNothingLeft(dataDir);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
