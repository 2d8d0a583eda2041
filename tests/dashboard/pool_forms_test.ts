import assert from "node:assert/strict";
import { createApiClient } from "../support/api.ts";
import { testGrid } from "../support/grid.ts";
import { choose, fill, press, submit } from "./form_scene.ts";
import { hasBrowser, startBrowser } from "./page_scene.ts";

const ignore = !hasBrowser();

Deno.test({
  name:
    "a pool is created from a form with the options of its provider, changed, paused, resumed, drained, and deleted after a question",
  ignore,
  async fn() {
    await using grid = await testGrid({ listen: true });
    const { call } = createApiClient(grid);
    const readPool = async () =>
      (await call("GET", "/workerpool/pools/crawlers")).body;
    await using browser = await startBrowser();
    const { page, shows, faults } = await browser.open(`${grid.url}/ui/pools`);
    await shows(".empty-title", /There is no work pool/);
    await page.locator(".empty ::-p-text(Create one)").click();
    await choose(page, "provider_type", "docker");
    await fill(page, "name", "crawlers");
    await fill(page, "max_sessions", "7");
    await fill(page, "provider_config.image", "registry.example/chrome:141");
    await choose(page, "provider_config.pull", "always");
    await fill(page, "provider_config.registry_password", "secret-of-registry");
    await fill(page, "provider_config.arguments", "--lang=de\n--mute-audio");
    await fill(page, "default_screen.width", "1600");
    await submit(page);
    await shows("h1", /^crawlers active$/);
    const created = await readPool();
    assert.deepEqual(
      [created.provider_type, created.max_sessions, created.provider_secrets],
      ["docker", 7, ["registry_password"]],
    );
    assert.equal(created.provider_config.pull, "always");
    assert.deepEqual(created.provider_config.arguments, [
      "--lang=de",
      "--mute-audio",
    ]);
    assert.deepEqual(created.default_screen, {
      width: 1600,
      height: 720,
      dpi: 96,
      scale: 1,
    });
    await shows(".tab-row + .code", /v1\/connect\?work_pool_id=crawlers/);

    await press(page, "Edit");
    await shows("h1", /Edit pool crawlers/);
    const secret = await page.waitForSelector(
      '[name="provider_config.registry_password"]',
    );
    assert.deepEqual(
      await secret?.evaluate((input) =>
        input instanceof HTMLInputElement &&
        [input.type, input.value, input.placeholder]
      ),
      ["password", "", "set; empty keeps it"],
    );
    await fill(page, "max_sessions", "");
    await fill(page, "provider_config.arguments", "--lang=fr");
    await submit(page);
    await shows("h1", /^crawlers active$/);
    const changed = await readPool();
    assert.equal(changed.max_sessions, null);
    assert.deepEqual(changed.provider_config, {
      ...created.provider_config,
      arguments: ["--lang=fr"],
    });
    assert.deepEqual(changed.provider_secrets, ["registry_password"]);

    await press(page, "Pause", { confirm: true });
    await shows("h1 .badge", /paused/);
    await press(page, "Resume", { confirm: true });
    await shows("h1 .badge", /active/);
    await press(page, "Drain", { confirm: true });
    await shows("h1 .badge", /draining|inactive/);
    await press(page, "Delete");
    await page.locator("dialog[open] ::-p-text(Cancel)").click();
    assert.equal((await readPool()).name, "crawlers");
    await press(page, "Delete", { confirm: true });
    await shows(".empty-title", /There is no work pool/);
    assert.equal((await readPool()).code, "pool_not_found");
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name:
    "faults of a pool stand at their fields: missing ones, those that the server finds, and a name that is taken",
  ignore,
  async fn() {
    await using grid = await testGrid({ listen: true });
    await createApiClient(grid).pool({ name: "taken" });
    await using browser = await startBrowser();
    const { page, shows, faults } = await browser.open(
      `${grid.url}/ui/pools/new`,
    );
    await choose(page, "provider_type", "azure_container_instance");
    await submit(page);
    const readErrors = () =>
      page.$$eval(
        "[aria-invalid]",
        (fields) =>
          fields.map((field) => [
            field.getAttribute("name") ?? "",
            (field.getAttribute("aria-describedby") ?? "").split(" ")
              .map((id) => document.getElementById(id))
              .find((each) => each?.className === "field-error")
              ?.textContent ?? "",
          ]),
      );
    await shows(".fault", /Name, Resource group, Subscription id/);
    assert.deepEqual(await readErrors(), [
      ["name", "Required"],
      ["provider_config.resource_group", "Required"],
      ["provider_config.subscription_id", "Required"],
    ]);
    assert.equal(
      await page.evaluate(() => document.activeElement?.getAttribute("name")),
      "name",
    );

    await choose(page, "provider_type", "docker");
    await fill(page, "name", "a");
    await fill(page, "provider_config.pids_limit", "3");
    await fill(page, "default_resource_limits.memory", "much");
    await submit(page);
    // The body is checked before the options of the provider.
    await shows(".field-error", /such as 512M or 2G/);
    assert.deepEqual((await readErrors()).map(([name]) => name), [
      "default_resource_limits.memory",
    ]);
    await fill(page, "default_resource_limits.memory", "2G");
    await submit(page);
    await shows(".field-error", />=64/);
    assert.deepEqual((await readErrors()).map(([name]) => name), [
      "provider_config.pids_limit",
    ]);
    await fill(page, "provider_config.pids_limit", "100");
    await fill(page, "name", "taken");
    await submit(page);
    await shows(".field-error", /"taken"/);
    assert.deepEqual((await readErrors()).map(([name]) => name), ["name"]);
    assert.deepEqual(faults, []);
  },
});

Deno.test({
  name:
    "the values of a pool's environment are never shown, and stay unless they are replaced",
  ignore,
  async fn() {
    await using grid = await testGrid({ listen: true });
    const api = createApiClient(grid);
    const { id } = await api.pool({
      default_environment: { TOKEN: "secret-of-environment" },
    });
    await using browser = await startBrowser();
    const { page, shows } = await browser.open(
      `${grid.url}/ui/pools/${id}/edit`,
    );
    await shows(".hidden-values", /TOKEN/);
    await fill(page, "description", "changed");
    await submit(page);
    await shows(".heading p", /changed/);
    const { body: kept } = await api.call("GET", "/workerpool/pools/pool");
    assert.deepEqual(kept.default_environment, ["TOKEN"]);
    await page.goto(`${grid.url}/ui/pools/${id}/edit`);
    await shows(".hidden-values", /TOKEN/);
    assert.ok(!(await page.content()).includes("secret-of-environment"));
    await page.$$eval("details", (all) => {
      for (const each of all) each.open = true;
    });
    await page.locator(".with-button ::-p-text(Replace)").click();
    await page.locator(".pair [aria-label='Name 1']").fill("LANG");
    await page.locator(".pair [aria-label='Value 1']").fill("de_DE.UTF-8");
    await submit(page);
    await shows("h1", /^pool active$/);
    const { body: replaced } = await api.call("GET", "/workerpool/pools/pool");
    assert.deepEqual(replaced.default_environment, ["LANG"]);
  },
});
