/** Tests the documentation's app in the real program: its table, endpoints, options and error code. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { loadPlugins } from "../../src/cli/plugins.ts";
import { APPS } from "../../src/installed.ts";
import { startProgram } from "../support/program.ts";
import { keyedGrid } from "../support/keys.ts";

const PAGE = new URL("../../docs/plugin-app.md", import.meta.url);

/** Creates a folder with the page's two files, verbatim. */
async function savedApp(): Promise<
  AsyncDisposable & { readonly folder: string; readonly plugin: string }
> {
  const text = await Deno.readTextFile(PAGE);
  const [, sql, code] =
    /`notes\/migrations\/0000_notes\.sql`:\n\n```sql\n([^]*?)```[^]*`notes\/plugin\.js`:\n\n```js\n([^]*?)```/
      .exec(text) ?? [];
  assert.ok(sql && code, "docs/plugin-app.md has the app");
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-plugin-" });
  await Deno.mkdir(join(folder, "notes", "migrations"), { recursive: true });
  const plugin = join(folder, "notes", "plugin.js");
  await Deno.writeTextFile(plugin, code);
  await Deno.writeTextFile(
    join(folder, "notes", "migrations", "0000_notes.sql"),
    sql,
  );
  return {
    folder,
    plugin,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test("the documentation's app stores notes for callers that may see the session, up to its limit", async () => {
  await using app = await savedApp();
  const { apps } = await loadPlugins([app.plugin]);
  await using grid = await keyedGrid({
    apps: apps.slice(APPS.length),
    settings: { app_options: { notes: { max_notes: 2 } } },
  });
  await grid.admin.pool();
  const [client, other] = [await grid.asNew(), await grid.asNew()];
  const { id } = await client.session();
  const path = `/sessions/${id}/notes`;
  const made = await client.call("POST", path, { text: "slow at first" });
  assert.equal(made.status, 201, made.text);
  assert.match(made.body.created_at, /^\d{4}-.*Z$/);
  assert.equal(
    (await grid.admin.call("POST", path, { text: "b" })).status,
    201,
  );
  const full = await client.call("POST", path, { text: "c" });
  assert.deepEqual([full.status, full.body.code], [409, "notes_full"]);
  const { body } = await client.call("GET", path);
  assert.deepEqual(body.items.map(({ text }: { text: string }) => text), [
    "slow at first",
    "b",
  ]);
  for (const method of ["GET", "POST"]) {
    const json = method === "POST" ? { text: "x" } : undefined;
    const foreign = await other.call(method, path, json);
    assert.equal(foreign.body.code, "session_not_found");
  }
  const wrong = await client.call("POST", path, { words: "x" });
  assert.deepEqual([wrong.status, wrong.body.code], [422, "invalid_request"]);
  const document = await (await grid.request("/openapi.json")).json();
  const { post } = document.paths["/v1/sessions/{id}/notes"];
  assert.match(post.responses["409"].description, /notes_full/);
  assert.ok(
    document.tags.some(({ name }: { name: string }) => name === "Notes"),
  );
});

Deno.test("the documentation's app is loaded by --plugin, and an exception in it is logged with its stack", async () => {
  await using app = await savedApp();
  const code = await Deno.readTextFile(app.plugin);
  await Deno.writeTextFile(
    app.plugin,
    code.replace("const found = await rows(", "null.nothing; await rows("),
  );
  await using serve = startProgram([
    ...["serve", "--plugin", app.plugin, "--port", "0"],
    ...["--data-dir", join(app.folder, "data")],
  ]);
  const [, url = ""] = await serve.until(/API +(http:\S+)\/v1/);
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${url}/v1${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return await response.json();
  };
  await post("/workerpool/pools", { name: "pool", provider_type: "local" });
  const { id } = await post("/sessions", {});
  const { text } = await post(`/sessions/${id}/notes`, { text: "a note" });
  assert.equal(text, "a note");
  const answer = await fetch(`${url}/v1/sessions/${id}/notes`);
  const problem = await answer.json();
  assert.equal(problem.code, "internal");
  assert.ok(!JSON.stringify(problem).includes("plugin.js"));
  await serve.until(
    /Request .* failed: TypeError: .*null.*\n\s+at .*plugin\.js:\d+:\d+/,
  );
});
