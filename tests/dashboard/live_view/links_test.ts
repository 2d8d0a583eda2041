import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";
import { findFaults } from "../find_faults.ts";
import { hasBrowser, startBrowser } from "../page_scene.ts";

Deno.test({
  name:
    "a link to the live view is created, shown once, listed with its end, and revoked after a question",
  ignore: !hasBrowser(),
  async fn() {
    await using grid = await testGrid({ listen: true });
    const api = createApiClient(grid);
    await api.pool();
    const { id } = await api.session();
    await using browser = await startBrowser();
    const { page, shows, faults } = await browser.open(
      `${grid.url}/ui/sessions/${id}`,
    );
    await shows(".empty", /No links/);
    await page.select("select[name=mode]", "control");
    await page.select("select[name=expires]", "600");
    await page.type("input[name=link-note]", "for Ann");
    await page.locator(".live-link-form button").click();
    await shows(".live-new-link", /Copy the link now.*take control.*\/live#/);
    const url = await page.$eval(
      ".live-new-link code",
      ({ textContent }) => textContent ?? "",
    );
    assert.ok(url.startsWith(`${grid.url}/live#`), url);
    await shows(
      "tbody tr",
      /Watch and control.*active.*in (9|10) min.*for Ann/,
    );
    const token = url.split("#")[1] ?? "";
    await page.reload();
    await shows("tbody tr", /Watch and control/);
    const text = await page.$eval("body", (body) => body.innerText);
    assert.ok(token.length > 20 && !text.includes(token));
    assert.deepEqual(await findFaults(page, "light"), []);
    await page.locator("tbody button.danger").click();
    await page.locator("dialog[open] button.danger").click();
    await shows("tbody tr", /revoked/);
    assert.equal(await page.$("tbody button.danger"), null);
    assert.deepEqual(faults, []);
  },
});
