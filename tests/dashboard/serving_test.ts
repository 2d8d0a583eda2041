import assert from "node:assert/strict";
import { APPS } from "../../src/installed.ts";
import { BOOTSTRAP_KEY, keyedGrid } from "../support/keys.ts";
import { testGrid } from "../support/grid.ts";

const HTML = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

/** Returns the addresses of the files in the page. */
function listFiles(html: string): readonly string[] {
  return [...html.matchAll(/(?:href|src)="([^"]*\/ui\/assets\/[^"]+)"/g)]
    .map(([, path = ""]) => path);
}

Deno.test("GET / gives programs the addresses of the server, and browsers the dashboard, without a key", async () => {
  await using grid = await keyedGrid();
  for (const accept of [undefined, "*/*", "application/json"]) {
    const response = await grid.request("/", {
      headers: accept === undefined ? {} : { accept },
    });
    assert.equal(response.status, 200);
    assert.match(response.headers.get("vary") ?? "", /^Accept(,|$)/);
    const { name, version, links } = await response.json();
    assert.deepEqual([name, version], ["browsergrid", "0.0.0-test"]);
    assert.match(links.connect, /^ws:\/\/.*\/v1\/connect$/);
    assert.match(links.docs, /^http:\/\/.*\/docs$/);
  }
  const page = await grid.request("/", { headers: HTML });
  assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
  assert.equal(page.headers.get("cache-control"), "no-store");
  assert.equal(
    page.headers.get("content-security-policy"),
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  );
  const html = await page.text();
  assert.ok(!/<script>|<style|style=|onclick/.test(html), html);
  assert.ok(!html.includes(BOOTSTRAP_KEY));
});

Deno.test("every path below /ui shows the dashboard, whose files have the names of their content and may be kept", async () => {
  await using grid = await keyedGrid();
  for (const path of ["/ui", "/ui/", "/ui/sessions/some-id", "/ui/nowhere"]) {
    const response = await grid.request(path, { headers: HTML });
    assert.equal(response.status, 200, path);
    const files = listFiles(await response.text());
    assert.equal(files.length, 2, path);
    for (const file of files) {
      const asset = await grid.request(file);
      assert.equal(asset.status, 200, file);
      assert.match(file, /\/app-[0-9a-f]{16}\.(js|css)$/);
      assert.match(
        asset.headers.get("content-type") ?? "",
        /javascript|css/,
      );
      assert.equal(
        asset.headers.get("cache-control"),
        "public, max-age=31536000, immutable",
      );
      await asset.body?.cancel();
    }
  }
  const missing = await grid.request("/ui/assets/app-0000000000000000.js");
  assert.equal(missing.status, 404);
  assert.equal((await missing.json()).code, "not_found");
});

Deno.test("behind a proxy with a path, the page finds its files below that path", async () => {
  const publicUrl = "https://grid.example/tools/grid";
  await using grid = await testGrid({ settings: { public_url: publicUrl } });
  const response = await grid.request("/", { headers: HTML });
  const html = await response.text();
  assert.match(html, /data-prefix="\/tools\/grid"/);
  assert.match(html, /href="\/tools\/grid\/openapi\.json"/);
  for (const file of listFiles(html)) {
    assert.match(file, /^\/tools\/grid\/ui\/assets\//);
  }
  const { links } = await (await grid.request("/")).json();
  assert.equal(links.dashboard, `${publicUrl}/`);
});

Deno.test("a grid without the app has no dashboard", async () => {
  const apps = APPS.map(({ name }) => name).filter((name) =>
    name !== "dashboard"
  );
  await using grid = await testGrid({ settings: { apps } });
  for (const path of ["/", "/ui"]) {
    assert.equal((await grid.request(path, { headers: HTML })).status, 404);
  }
});
