import assert from "node:assert/strict";
import { settingsSchema } from "../../src/core/settings_schema.ts";
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
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; img-src 'self' data:; frame-ancestors 'none'",
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

const POLICY_OF_LIVE =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; img-src 'self' data: blob:; frame-ancestors ";

Deno.test("/live shows the page of a link without a key, and no page may embed it", async () => {
  await using grid = await keyedGrid();
  const response = await grid.request("/live", { headers: HTML });
  assert.equal(response.status, 200);
  const { headers } = response;
  assert.equal(
    headers.get("content-security-policy"),
    `${POLICY_OF_LIVE}'none'`,
  );
  assert.equal(headers.get("x-frame-options"), "DENY");
  assert.equal(headers.get("referrer-policy"), "no-referrer");
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal(listFiles(await response.text()).length, 2);
});

Deno.test("live_view_frame_ancestors lets its origins embed /live, and no other page of the server", async () => {
  await using grid = await keyedGrid({
    settings: {
      live_view_frame_ancestors: ["https://app.example", "https://*.b.example"],
      middleware: [{
        name: "security_headers",
        options: { referrer_policy: "origin" },
      }],
    },
  });
  const read = async (path: string) => {
    const { headers, body } = await grid.request(path, { headers: HTML });
    await body?.cancel();
    return headers;
  };
  const live = await read("/live");
  assert.equal(
    live.get("content-security-policy"),
    `${POLICY_OF_LIVE}https://app.example https://*.b.example`,
  );
  assert.equal(live.get("x-frame-options"), null);
  assert.equal(live.get("referrer-policy"), "no-referrer");
  for (const path of ["/", "/ui/sessions", "/health", "/v1/sessions"]) {
    const headers = await read(path);
    assert.match(
      headers.get("content-security-policy") ?? "",
      /frame-ancestors 'none'/,
      path,
    );
    assert.equal(headers.get("x-frame-options"), "DENY", path);
  }
});

Deno.test("live_view_frame_ancestors rejects what would change the policy of the page", () => {
  const hostile = [
    ...["*", "'self'", "https:", "app.example", "https://a.example/path"],
    ...[
      "https://a.example; script-src *",
      "https://a.example https://b.example",
    ],
    ...[
      "https://*",
      "https://*.",
      "https://u:p@a.example",
      "javascript:alert(1)",
    ],
    ...["https://a.example\n", "https://a,b.example", "https://a..example"],
  ];
  for (const origin of hostile) {
    const { success } = settingsSchema.shape.live_view_frame_ancestors
      .safeParse([origin]);
    assert.ok(!success, origin);
  }
  for (const origin of ["https://a.example:8443", "http://[::1]:3000"]) {
    assert.deepEqual(
      settingsSchema.shape.live_view_frame_ancestors.parse(origin),
      [origin],
    );
  }
});
