/** The example of an app: a folder of its own, and one line that adds it. */
import assert from "node:assert/strict";
import { defineApp } from "../../src/core/app.ts";
import { createRouter } from "../../src/http/router.ts";
import { APPS } from "../../src/installed.ts";
import { createFakeClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { testGrid, type TestGridOptions } from "../support/grid.ts";
import { createApiClient } from "../support/api.ts";
import { notes } from "./notes/app.ts";

const apps = [notes];

async function noteScene(options: TestGridOptions = {}) {
  const grid = await testGrid({ apps, ...options });
  const api = createApiClient(grid);
  await api.pool();
  const session = await api.session();
  const call = async (method: string, path: string, json?: unknown) => {
    const init = json === undefined ? { method } : { method, json };
    const answer = await grid.request(path, init);
    const { status, headers } = answer;
    return { status, headers, body: await answer.json() };
  };
  return {
    grid,
    call,
    session,
    add: (text: string) =>
      call("POST", "/v1/notes", { session_id: session.id, text }),
    [Symbol.asyncDispose]: () => grid[Symbol.asyncDispose](),
  };
}

Deno.test("an app has its table and its endpoint, and v2 of an endpoint responds in addition to v1", async () => {
  await using scene = await noteScene();
  const { status, body: made } = await scene.add("slow at first");
  assert.equal(status, 201);
  const v1 = await scene.call("GET", `/v1/notes/${made.id}`);
  assert.deepEqual([v1.status, v1.body], [200, made]);
  assert.equal(v1.body.text, "slow at first");
  const v2 = await scene.call("GET", `/v2/notes/${made.id}`);
  assert.equal(v2.status, 200);
  assert.deepEqual(v2.body.text, { value: "slow at first", words: 3 });
  assert.deepEqual(v2.body.session, { id: scene.session.id });
  const only = await scene.call("POST", "/v2/notes", {});
  assert.equal(only.status, 404, "version 2 has what it says, no more");
});

Deno.test("an app's endpoints of both versions and its codes are in /openapi.json", async () => {
  await using scene = await noteScene();
  const { body } = await scene.call("GET", "/openapi.json");
  const path = body.paths["/v1/notes/{note_id}"].get;
  assert.match(path.responses["404"].description, /note_not_found/);
  assert.match(
    body.paths["/v1/notes"].post.responses["429"].description,
    /notes_full/,
  );
  const later = body.paths["/v2/notes/{note_id}"].get.responses["200"];
  assert.deepEqual(later.content["application/json"].schema, {
    $ref: "#/components/schemas/NoteV2",
  });
});

Deno.test("an app rejects requests with its own error codes, in the common form", async () => {
  await using scene = await noteScene({
    settings: { app_options: { notes: { max_notes: 2 } } },
  });
  const missing = await scene.call("GET", "/v1/notes/none");
  assert.equal(missing.status, 404);
  assert.equal(
    missing.headers.get("content-type"),
    "application/problem+json",
  );
  assert.partialDeepStrictEqual(missing.body, {
    type: "urn:browsergrid:problem:note_not_found",
    title: "Note not found",
    code: "note_not_found",
    status: 404,
  });
  await scene.add("one");
  await scene.add("two");
  const full = await scene.add("three");
  assert.deepEqual([full.status, full.body.code], [429, "notes_full"]);
  assert.equal(full.headers.get("retry-after"), "60");
  const odd = await scene.call("POST", "/v1/notes", {
    session_id: "x",
    text: "",
  });
  assert.equal(odd.body.code, "invalid_request");
});

Deno.test("ready() starts an app's background work, which ends with the grid", async () => {
  const clock = createFakeClock();
  await using scene = await noteScene({ clock });
  const { body: made } = await scene.add("old");
  scene.grid.startBackgroundWork();
  const read = async () =>
    (await scene.call("GET", `/v1/notes/${made.id}`)).status;
  assert.equal(await read(), 200);
  clock.advance(25 * 3_600_000);
  await eventually("the old note is pruned", async () => {
    clock.advance(60_000);
    return await read() === 404;
  });
});

Deno.test("without an app in the setting apps its endpoints and its table do not exist", async () => {
  await using grid = await testGrid({
    apps,
    settings: { apps: APPS.map(({ name }) => name) },
  });
  assert.equal((await grid.request("/v1/notes/x")).status, 404);
  const { rows } = await grid.core.db.client.execute(
    "SELECT name FROM schema_migrations WHERE name LIKE 'notes/%'",
  );
  assert.deepEqual(rows, []);
});

Deno.test("a start fails if a required app is missing or comes later", async () => {
  await assert.rejects(
    testGrid({
      apps,
      settings: {
        apps: ["workerpool", "notes", "sessions", "workers", "gateway"],
      },
    }),
    /Cannot set up app "notes": it needs "sessions", which comes after it, expected it earlier in setting "apps"/,
  );
  const needy = defineApp({
    name: "needy",
    verboseName: "Needy",
    setup: (core) => ({ manager: core.use("notes") }),
  });
  await assert.rejects(
    testGrid({ apps: [needy] }),
    /Cannot set up app "needy": it needs "notes", which is not installed/,
  );
  await using _grid = await testGrid({ apps: [notes, needy] });
});

Deno.test("the setting apps rejects an unknown name with the nearest known one, and a repeated name", async () => {
  await assert.rejects(
    testGrid({ apps, settings: { apps: ["workerpool", "note"] } }),
    /Cannot find app "note": known are .*; did you mean "notes"\?/,
  );
  await assert.rejects(
    testGrid({ settings: { apps: ["workerpool", "workerpool"] } }),
    /setting "apps": it has "workerpool" twice/,
  );
});

Deno.test("wrong options of an app, options that it does not take, and options of an unknown app are rejected", async () => {
  const start = (app_options: unknown) =>
    testGrid({ apps, settings: { app_options } });
  await assert.rejects(
    start({ notes: { max_note: 3 } }),
    /"app_options" of app "notes": .*max_note/,
  );
  await assert.rejects(
    start({ workerpool: { size: 3 } }),
    /"app_options": app "workerpool" takes no options/,
  );
  await assert.rejects(
    start({ note: {} }),
    /"app_options": Cannot find app "note".*did you mean "notes"/,
  );
  await using _grid = await start('{"notes": {"max_notes": 3}}');
});

Deno.test("a start fails if two apps have the same endpoint", async () => {
  const shadow = defineApp({
    name: "shadow",
    verboseName: "Shadow",
    setup() {
      const v1 = createRouter();
      v1.get("/workerpool/pools", (c) => c.json([]));
      return { manager: {}, routes: { v1 } };
    },
  });
  await assert.rejects(
    testGrid({ apps: [shadow] }),
    /Cannot set up app "shadow": "GET \/v1\/workerpool\/pools" is an endpoint of "workerpool", expected another path/,
  );
});

Deno.test("a start fails if an error code is already declared by another app or the core", async () => {
  const copy = defineApp({
    name: "copy",
    verboseName: "Copy",
    problems: { note_not_found: { status: 404, title: "Nothing" } },
    setup: () => ({ manager: {} }),
  });
  await assert.rejects(
    testGrid({ apps: [notes, copy] }),
    /Cannot add code "note_not_found" of "copy": "notes" has it/,
  );
  await assert.rejects(
    testGrid({
      apps: [{ ...copy, problems: { not_found: { status: 404, title: "" } } }],
    }),
    /Cannot add code "not_found" of "copy": the core has it/,
  );
});
