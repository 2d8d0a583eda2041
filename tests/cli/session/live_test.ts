import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";

/** A listening grid with a session, and its `session` command. */
async function openScene() {
  const grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session();
  return {
    id,
    url: grid.url,
    run: (...line: readonly string[]) =>
      cli("session", ...line, "--api-url", grid.url),
    [Symbol.asyncDispose]: () => grid[Symbol.asyncDispose](),
  };
}

Deno.test("session live prints a link once, which is listed and revoked", async () => {
  await using s = await openScene();
  const made = await s.run(
    ...["live", s.id, "--mode", "control", "--expires", "30m"],
    ...["--note", "for Anna"],
  );
  assert.equal(made.code, 0, made.err);
  assert.ok(made.out.startsWith(`${s.url}/live#lv_`), made.out);
  const [, link = ""] =
    /^This is link (\S+) \(control\), which ends at \S+Z\. It is not shown again$/
      .exec(made.err) ?? [];
  const read = async () => {
    const { out, err } = await s.run("live-links", s.id);
    assert.ok(!out.includes("lv_"));
    const { head, rows } = JSON.parse(out || err);
    assert.deepEqual(
      head,
      ["id", "mode", "status", "created", "ends", "note"],
    );
    return rows.map((row: readonly string[]) => row.toSpliced(3, 2));
  };
  assert.deepEqual(await read(), [[link, "control", "active", "for Anna"]]);
  const revoked = await s.run("revoke-live-link", s.id, link);
  assert.deepEqual(
    [revoked.code, revoked.out],
    [0, `Link ${link} is not valid any more`],
  );
  assert.deepEqual(await read(), [[link, "control", "revoked", "for Anna"]]);
});

Deno.test("session live creates a link to watch for an hour, as JSON with --json", async () => {
  await using s = await openScene();
  const { out, err } = await s.run("live", s.id, "--json");
  const link = JSON.parse(out || err);
  assert.equal(link.mode, "view");
  const ms = Date.parse(link.expires_at) - Date.parse(link.created_at);
  assert.equal(ms, 3_600_000);
  const list = await s.run("live-links", s.id, "--json");
  const { url: _, ...listed } = link;
  assert.deepEqual(JSON.parse(list.out), [listed]);
  const revoked = await s.run("revoke-live-link", s.id, link.id, "--json");
  assert.deepEqual(JSON.parse(revoked.out), { id: link.id });
});

Deno.test("session live ends with 2 for a wrong time or mode, and with 1 for an unknown session or link", async () => {
  await using s = await openScene();
  for (const time of ["0m", "30", "m", "1w", "-1h", "1.5h"]) {
    const { code, err } = await s.run("live", s.id, `--expires=${time}`);
    assert.equal(code, 2, time);
    assert.match(err, /such as 30m/);
  }
  assert.equal((await s.run("live", s.id, "--mode", "admin")).code, 2);
  assert.equal((await s.run("live", "nonsense")).code, 1);
  assert.equal((await s.run("live-links", "nonsense")).code, 1);
  const unknown = await s.run("revoke-live-link", s.id, "nonsense");
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /live-links/);
});
