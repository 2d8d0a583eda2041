import assert from "node:assert/strict";
import type { DeclareTest } from "./declare_test.ts";
import {
  connectTo,
  GRACE_MS,
  NEVER,
  openScene,
  type ProviderUnderTest,
} from "../provider_machine.ts";

const PASSWORD = "planted-password-7";

/** Declares the tests of the properties that a session requests: screen, variables, arguments, proxy. */
export function declareRequestTests(
  contract: DeclareTest,
  provider: ProviderUnderTest,
): void {
  const { spec } = provider;

  contract(
    "start() of a headless browser sets the requested screen size",
    async () => {
      await using test = await openScene(provider);
      const screen = { width: 901, height: 703, dpi: 96, scale: 2 };
      const browser = await test.host.start(spec({ screen }), "s", NEVER);
      await using client = await connectTo(browser);
      const page = await client.newPage();
      const seen = await page.evaluate(
        "[screen.width, screen.height, outerWidth, outerHeight, devicePixelRatio]",
      );
      assert.deepEqual(seen, [901, 703, 901, 703, 2]);
      assert.match(await client.userAgent(), /Headless/);
      // The browser has no pages except the client's: others would double the cost of a start.
      const answer = await fetch(`http://${browser.endpoint.host}/json/list`);
      const targets: readonly { readonly type: string }[] = await answer.json();
      assert.deepEqual(targets.map(({ type }) => type), ["page", "page"]);
      await browser.stop(GRACE_MS);
    },
  );

  contract(
    "start() of a headful browser sets the requested screen size",
    async () => {
      await using test = await openScene(provider);
      const screen = { width: 901, height: 703, dpi: 96, scale: 1 };
      const browser = await test.host.start(
        spec({ headless: false, screen }),
        "s",
        NEVER,
      );
      await using client = await connectTo(browser);
      const page = await client.newPage();
      const seen = await page.evaluate(
        "[screen.width, screen.height, outerWidth, outerHeight]",
      );
      assert.deepEqual(seen, [901, 703, 901, 703]);
      assert.doesNotMatch(await client.userAgent(), /Headless/);
      await browser.stop(GRACE_MS);
      assert.deepEqual(await test.machine.listResources(), []);
    },
  );

  contract(
    "start() passes the requested variables to the browser",
    async () => {
      await using test = await openScene(provider);
      const environment = { TZ: "Pacific/Kiritimati" };
      const browser = await test.host.start(spec({ environment }), "s", NEVER);
      await using client = await connectTo(browser);
      const page = await client.newPage();
      const zone = await page.evaluate(
        "Intl.DateTimeFormat().resolvedOptions().timeZone",
      );
      assert.equal(zone, "Pacific/Kiritimati");
      await browser.stop(GRACE_MS);
    },
  );

  contract(
    "start() passes the requested arguments to the browser",
    async () => {
      await using test = await openScene(provider);
      const agent = `it's "me"; $(echo) \\ * --no-sandbox`;
      const browser = await test.host.start(
        spec({
          arguments: ["--accept-lang=de-DE", `--user-agent=${agent}`],
        }),
        "s",
        NEVER,
      );
      await using client = await connectTo(browser);
      const page = await client.newPage();
      const seen = await page.evaluate(
        "[navigator.language, navigator.userAgent]",
      );
      assert.deepEqual(seen, ["de-DE", agent]);
      await browser.stop(GRACE_MS);
    },
  );

  contract(
    "start() turns off the features in the arguments in addition to its own",
    async () => {
      await using test = await openScene(provider);
      const asked = spec({ arguments: ["--disable-features=PaintHolding"] });
      const browser = await test.host.start(asked, "s", NEVER);
      assert.match(
        await test.machine.commandLines(browser),
        /--disable-features=\S*Translate,\S*,PaintHolding/,
      );
      await browser.stop(0);
    },
  );

  contract(
    "start() reveals a proxy's password to no other process",
    async () => {
      await using test = await openScene(provider);
      const proxy = {
        proxy_url: "http://127.0.0.1:9",
        proxy_username: "user",
        proxy_password: PASSWORD,
      };
      const browser = await test.host.start(spec({ proxy }), "s", NEVER);
      const lines = await test.machine.commandLines(browser);
      assert.match(lines, /--proxy-server=/);
      const shown = [
        lines,
        JSON.stringify(browser.details),
        await browser.logs?.(1_000) ?? "",
      ].join("\n");
      assert.ok(!shown.includes(PASSWORD));
      assert.ok(!shown.includes(btoa(`user:${PASSWORD}`)));
      await browser.stop(GRACE_MS);
    },
  );
}
