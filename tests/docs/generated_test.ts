import assert from "node:assert/strict";
import {
  type GeneratedPage,
  generatedPages,
} from "../../.ci/docs/generated_pages.ts";
import { replacePart } from "../../.ci/docs/markdown.ts";
import { sessionInputSchema } from "../../src/apps/sessions/schemas.ts";
import { listSettings } from "../../src/core/settings.ts";
import { cli } from "../support/cli.ts";

const pages = await generatedPages();

function findPage(name: string): GeneratedPage {
  const found = pages.find(({ page }) => page === name);
  assert.ok(found, name);
  return found;
}

Deno.test("the generated parts of the documentation are up to date", async () => {
  assert.ok(pages.length > 0);
  for (const { page, url, text } of pages) {
    assert.equal(
      await Deno.readTextFile(url),
      text,
      `${page} is out of date: run "deno task docs"`,
    );
  }
});

Deno.test("the documentation has every setting, endpoint, command and session field", () => {
  for (const { variable } of listSettings()) {
    assert.ok(findPage("docs/settings.md").text.includes(`\`${variable}\``));
  }
  const { text: api } = findPage("docs/http-api.md");
  assert.match(api, /^- `POST \/v1\/sessions` \(client\): /m);
  assert.match(api, /^- `GET \/v1\/keys` \(admin\): /m);
  assert.match(api, /^- `GET \/health` \(no key\): /m);
  const { text: commands } = findPage("docs/cli.md");
  assert.match(commands, /^- `serve`: /m);
  assert.match(commands, /^- `pool deploy-command <pool> <session>`: /m);
  const { text: fields } = findPage("docs/sessions.md");
  const rows = [
    /^\| `screen\.width` +\| 1 to 16384 +\| pool, `1280` +\| yes +\| yes +\| `--screen` +\|$/m,
    /^\| `resource_limits\.cpu` +\| > 0, to 1024 +\| pool +\| yes +\| yes +\| yes +\|$/m,
    /^\| `resource_limits\.timeout_minutes` +\| > 0, to 10080 +\| pool, setting +\| yes +\| yes +\| yes +\|$/m,
    /^\| `environment` +\| map +\| pool +\| yes +\| `env\.NAME` +\| `--env` +\|$/m,
    /^\| `labels` +\| map +\| +\| yes +\| `label` +\| `--label` +\|$/m,
    /^\| `max_connections` +\| 1 to 1000 +\| `1` +\| yes +\| yes +\| yes +\|$/m,
    /^\| `keep_alive_seconds` +\| 1 to 86400 +\| +\| +\| `keep_alive` +\| +\|$/m,
  ];
  for (const row of rows) assert.match(fields, row);
  for (const name of Object.keys(sessionInputSchema.shape)) {
    assert.match(fields, new RegExp(`^\\| \`${name}[.\`]`, "m"));
  }
});

Deno.test("replacePart() rejects a page without the part's markers", () => {
  assert.throws(() => replacePart("# Page\n", "settings", "x"), /settings/);
});

Deno.test("settings --markdown prints every setting as a row of a table", async () => {
  const { out } = await cli("settings", "--markdown");
  const rows = out.split("\n").slice(2);
  assert.deepEqual(
    rows.map((row) => /^\| `(\w+)` /.exec(row)?.[1]),
    listSettings().map(({ variable }) => variable),
  );
});
