import assert from "node:assert/strict";
import { join } from "node:path";
import puppeteer from "puppeteer-core";
import type { FoundBrowser } from "../../../../src/providers/local/find_browser.ts";
import {
  findInstalledBrowser,
  installBrowser,
  installShell,
} from "../../../../src/providers/local/install/install_browser.ts";
import { launch } from "../../../../src/providers/local/launch.ts";
import { browserSpec } from "../../../support/browser_spec.ts";

const NEVER = new AbortController().signal;

const SPEC = browserSpec();

/** Folder of the browser, which is large and unpacked once for all tests. */
const folder = await Deno.makeTempDir();
const progress: string[] = [];
const installed: FoundBrowser | string = await installShell(
  folder,
  (line) => progress.push(line),
).catch(String);

function shellTest(
  name: string,
  fn: (shell: FoundBrowser) => Promise<void>,
): void {
  const isHere = typeof installed !== "string";
  if (!isHere) {
    // deno-lint-ignore no-console -- the reason of a skipped test is its result
    console.log(`skipped: ${name}: the package cannot be had: ${installed}`);
  }
  Deno.test({
    name,
    fn: async () => {
      if (isHere) await fn(installed);
    },
    ignore: !isHere,
  });
}

shellTest(
  "installShell() unpacks a browser that serves CDP and draws text",
  async (shell) => {
    assert.ok(shell.headlessOnly);
    assert.ok(progress.some((line) => line.includes("headless shell")));
    const browser = await launch({
      spec: SPEC,
      sessionId: "s",
      gridId: "g",
      browser: shell,
      folder: join(folder, "session"),
      sandbox: false,
      arguments: [],
    }, NEVER);
    const client = await puppeteer.connect({
      browserWSEndpoint: browser.endpoint.href,
      defaultViewport: null,
    });
    assert.match(await client.version(), /Chrome\/\d+/);
    const page = await client.newPage();
    await page.setContent("<span>hello</span>");
    const width = await page.evaluate(
      "document.querySelector('span').getBoundingClientRect().width",
    );
    assert.ok(Number(width) > 10, `${width}`);
    await client.disconnect();
    await browser.stop(2_000);
  },
);

shellTest(
  "findInstalledBrowser() finds a browser that was unpacked before",
  async (shell) => {
    assert.deepEqual(await findInstalledBrowser(folder), shell);
  },
);

shellTest(
  "installShell() uses the browser that another worker has unpacked during it, and leaves no partial files",
  async (shell) => {
    const before = await Deno.stat(shell.path);
    assert.deepEqual(await installShell(folder, () => {}), shell);
    const after = await Deno.stat(shell.path);
    assert.equal(after.ino, before.ino);
    const names = await Array.fromAsync(Deno.readDir(folder));
    assert.deepEqual(names.map(({ name }) => name), ["headless_shell"]);
  },
);

Deno.test("findInstalledBrowser() ignores a folder that is being unpacked", async () => {
  const half = await Deno.makeTempDir();
  await Deno.mkdir(join(half, "unpacking_1"));
  await Deno.writeTextFile(join(half, "unpacking_1", "chromium"), "");
  assert.equal(await findInstalledBrowser(half), undefined);
  await Deno.remove(half, { recursive: true });
});

Deno.test("installBrowser() rejects with the next step if no browser can be installed", async () => {
  const file = await Deno.makeTempFile();
  await assert.rejects(installBrowser(file, () => {}), {
    message:
      "Cannot install a browser: none can be downloaded here, expected Chrome or Chromium on the PATH or in CHROME_PATH",
  });
  await Deno.remove(file);
});

Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));
