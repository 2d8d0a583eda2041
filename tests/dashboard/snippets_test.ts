import assert from "node:assert/strict";
import type { Page } from "puppeteer-core";
import { createClient } from "../../src/client/client.ts";
import { runNode } from "../support/node_client.ts";
import { startProgram } from "../support/program.ts";
import { hasBrowser, startBrowser } from "./page_scene.ts";

const KEY = "key-of-the-snippets-0123456789";

const TITLE = "Through a snippet";

Deno.test({
  name:
    "the programs of a session's page connect to it as they are, with the key in the environment",
  ignore: !hasBrowser(),
  async fn() {
    const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-snippets-" });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => Deno.remove(dataDir, { recursive: true }));
    const program = stack.use(startProgram(
      ["serve", "--with-worker", "local", "--port", "0", "--data-dir", dataDir],
      { BROWSERGRID_API_KEY: KEY },
    ));
    const [, url = ""] = await program.until(/Dashboard +(http:\S+)\//);
    const grid = createClient({ apiUrl: url, apiKey: KEY });
    const { id, status } = await grid.createSession({}, { waitSeconds: 30 });
    assert.equal(status, "running");
    const browser = stack.use(await startBrowser());
    const { page, signIn, shows, faults } = await browser.open(
      `${url}/ui/sessions/${id}`,
    );
    await signIn(KEY);
    await shows("h1", /running/);
    await runPrograms(page);
    const commands = await readSnippet(page, "curl");
    const printed = await runShell(commands, dataDir);
    assert.match(printed, new RegExp(`"id":"${id}"`));
    const picture = await Deno.readFile(`${dataDir}/page.png`);
    assert.deepEqual(
      [...picture.subarray(1, 4)],
      [..."PNG"].map((each) => each.charCodeAt(0)),
    );
    // The commands as they are do not end the session.
    assert.equal((await grid.getSession(id)).status, "running");
    const [, stop = ""] = /^# To stop it: (.+)$/m.exec(commands) ?? [];
    await runShell(stop, dataDir);
    await shows("h1", /completed/);
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name:
    "the programs of a pool's page request a browser of the pool as they are",
  ignore: !hasBrowser(),
  async fn() {
    const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-snippets-" });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => Deno.remove(dataDir, { recursive: true }));
    const program = stack.use(startProgram(
      ["serve", "--with-worker", "local", "--port", "0", "--data-dir", dataDir],
      { BROWSERGRID_API_KEY: KEY },
    ));
    const [, url = ""] = await program.until(/Dashboard +(http:\S+)\//);
    const grid = createClient({ apiUrl: url, apiKey: KEY });
    const { items: [pool] } = await grid.listPools();
    assert.ok(pool);
    const browser = stack.use(await startBrowser());
    const { page, signIn, shows } = await browser.open(
      `${url}/ui/pools/${pool.id}`,
    );
    await signIn(KEY);
    await shows("h1", new RegExp(`^${pool.name}`));
    await runPrograms(page);
    const printed = await runShell(await readSnippet(page, "curl"), dataDir);
    const { id, status, work_pool_id } = JSON.parse(printed);
    assert.deepEqual([status, work_pool_id], ["running", pool.id]);
    await grid.stopSession(id);
  },
});

/** Runs the programs of the page with the key in the environment. */
async function runPrograms(page: Page): Promise<void> {
  for (const name of ["Puppeteer", "Playwright"]) {
    const source = await readSnippet(page, name);
    const { stdout, stderr } = await runNode(
      `process.env.BROWSERGRID_API_KEY = "${KEY}";\n${
        source.replace(
          "https://example.com",
          `data:text/html,<title>${TITLE}</title>`,
        )
      }`,
    );
    assert.deepEqual([stdout.trim(), stderr], [TITLE, ""], name);
  }
}

/** Runs commands with the key in the environment. Returns what they print. */
async function runShell(commands: string, cwd: string): Promise<string> {
  const { stdout } = await new Deno.Command("bash", {
    args: ["-ec", commands],
    cwd,
    env: { BROWSERGRID_API_KEY: KEY },
  }).output();
  return new TextDecoder().decode(stdout);
}

/** Chooses a program on the page, and returns its text. It must not contain the key. */
async function readSnippet(page: Page, name: string): Promise<string> {
  await page.locator(`.tabs ::-p-text(${name})`).click();
  const text = await page.$eval(
    ".tab-row + .code",
    (shown) => shown.textContent ?? "",
  );
  assert.ok(!text.includes(KEY) && !text.includes("ct_"), text);
  return text;
}
