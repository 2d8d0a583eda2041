/**
 * Links to the live view, without the API: tokens, validity, and what several servers on one database see.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { LiveManager } from "../../../src/apps/live/manager.ts";
import { BOOTSTRAP } from "../../../src/core/caller.ts";
import { GridError } from "../../../src/core/errors.ts";
import { reconcileOnce } from "../../../src/reconciler/reconciler.ts";
import { createApiClient } from "../../support/api.ts";
import { assertBounded } from "../../support/bounded_plans.ts";
import { createFakeClock } from "../../support/clock.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";
import { keyedGrid } from "../../support/keys.ts";
import { recordStatements } from "../../support/query_plans.ts";

const DAY_MS = 24 * 3_600_000;

const HOUR = {
  mode: "view",
  expiresInSeconds: 3_600,
  caller: BOOTSTRAP,
} as const;

function requireLive({ live }: Pick<TestGrid, "live">): LiveManager {
  assert.ok(live);
  return live;
}

/** Asserts that a link's token is not valid, and returns the reason. */
async function readFault(opened: Promise<unknown>): Promise<unknown> {
  const error = await opened.then(() => undefined, (reason) => reason);
  assert.ok(error instanceof GridError, "the token is valid");
  assert.deepEqual([error.code, error.status], ["live_link_not_valid", 401]);
  return error.extensions["reason"];
}

/** Starts a grid with a fake clock and a session that may live for 7 days. */
async function openScene() {
  const clock = createFakeClock();
  const grid = await testGrid({ clock });
  const api = createApiClient(grid);
  await api.pool();
  const session = await api.session({
    resource_limits: { timeout_minutes: 7 * 24 * 60 },
  });
  return {
    ...grid,
    grid,
    api,
    clock,
    session,
    live: requireLive(grid),
    /** Returns the number of stored links. */
    async countRows() {
      const { rows: [row] } = await grid.core.db.client.execute(
        "SELECT count(*) AS n FROM live_links",
      );
      return Number(row?.["n"]);
    },
  };
}

Deno.test("openLink() accepts the token of a link until it is revoked", async () => {
  await using s = await openScene();
  const { live, session } = s;
  const { link, token } = await live.create(session, {
    ...HOUR,
    mode: "control",
  });
  assert.match(token, /^lv_[A-Za-z0-9_-]{43}$/);
  assert.deepEqual(await live.openLink(token), {
    id: link.id,
    sessionId: session.id,
    mode: "control",
    expiresAt: s.clock.now() + 3_600_000,
  });
  assert.deepEqual(await live.findEnded([link.id]), new Map());
  const ref = { sessionId: session.id, linkId: link.id };
  await live.revoke(ref, BOOTSTRAP);
  await live.revoke(ref, BOOTSTRAP);
  assert.equal(await readFault(live.openLink(token)), "revoked");
  assert.deepEqual(
    await live.findEnded([link.id]),
    new Map([[link.id, "revoked"]]),
  );
});

Deno.test("a link expires at its end, which is not after the end of its session", async () => {
  await using s = await openScene();
  const { live, clock } = s;
  const { link, token } = await live.create(s.session, HOUR);
  clock.advance(3_599_999);
  await live.openLink(token);
  assert.deepEqual(await live.findEnded([link.id]), new Map());
  clock.advance(1);
  assert.equal(await readFault(live.openLink(token)), "expired");
  assert.deepEqual(
    await live.findEnded([link.id]),
    new Map([[link.id, "expired"]]),
  );
  const short = await s.api.session({
    resource_limits: { timeout_minutes: 10 },
  });
  const { link: capped } = await live.create(short, HOUR);
  assert.equal(capped.expiresAt, Date.parse(short.expires_at));
});

Deno.test("openLink() rejects a text without the form of a token before any round trip, and an unknown token", async () => {
  await using s = await openScene();
  const { live } = s;
  const { token } = await live.create(s.session, HOUR);
  const malformed = [
    ...["", "lv_", token.slice(0, -1), `${token}A`, `${token}\n`, ` ${token}`],
    ...[token.slice(3), `LV_${token.slice(3)}`, "lv_" + "a".repeat(1_000_000)],
    ...["lv_" + "%".repeat(43), "ct_1_aaaa", `lv_${"é".repeat(43)}`],
  ];
  const statements = await recordStatements(s.core.db, async () => {
    for (const text of malformed) {
      assert.equal(await readFault(live.openLink(text)), "unknown");
    }
  });
  assert.deepEqual(statements, []);
  assert.equal(
    await readFault(live.openLink(`lv_${"a".repeat(43)}`)),
    "unknown",
  );
});

Deno.test("the database contains the hash of a token, and neither it nor a part of it", async () => {
  await using s = await openScene();
  const { token } = await s.live.create(s.session, HOUR);
  for (const table of ["live_links", "events"]) {
    const { rows } = await s.core.db.client.execute(`SELECT * FROM ${table}`);
    const text = JSON.stringify(rows);
    assert.ok(rows.length > 0);
    assert.ok(!text.includes(token.slice(3, 20)), table);
  }
});

Deno.test("links are not valid without the key of their creator", async () => {
  const clock = createFakeClock();
  await using grid = await keyedGrid({ clock });
  await grid.admin.pool();
  const live = requireLive(grid);
  const issue = async (fields: { readonly expires_in_days?: number }) => {
    const { key, id } = await grid.key(fields);
    const session = await grid.as(key).session();
    const caller = { id, name: id, role: "client" } as const;
    return { id, ...await live.create(session, { ...HOUR, caller }) };
  };
  const revoked = await issue({});
  const expired = await issue({ expires_in_days: 1 / 48 });
  const kept = await issue({});
  await grid.admin.call("DELETE", `/keys/${revoked.id}`);
  clock.advance(1_800_000);
  assert.equal(await readFault(live.openLink(revoked.token)), "revoked");
  assert.equal(await readFault(live.openLink(expired.token)), "expired");
  await live.openLink(kept.token);
  assert.deepEqual(
    await live.findEnded([revoked, expired, kept].map(({ link }) => link.id)),
    new Map([[revoked.link.id, "revoked"], [expired.link.id, "expired"]]),
  );
});

Deno.test("findEnded() of each server on a database names a link that another server has revoked, in one statement", async () => {
  const clock = createFakeClock();
  await using first = await testGrid({ clock });
  await using second = await testGrid({ clock, dataDir: first.dataDir });
  const api = createApiClient(first);
  await api.pool();
  const session = await api.session();
  const { link, token } = await requireLive(first).create(session, HOUR);
  const { link: other } = await requireLive(second).create(session, HOUR);
  const ids = [link.id, other.id];
  await requireLive(second).openLink(token);
  assert.deepEqual(await requireLive(second).findEnded(ids), new Map());
  await requireLive(first).revoke(
    { sessionId: session.id, linkId: link.id },
    BOOTSTRAP,
  );
  const statements = await recordStatements(second.core.db, async () => {
    assert.deepEqual(
      await requireLive(second).findEnded(ids),
      new Map([[link.id, "revoked"]]),
    );
  });
  assert.equal(statements.length, 1);
  assert.equal(
    await readFault(requireLive(second).openLink(token)),
    "revoked",
  );
});

Deno.test("queries of servers with viewers scan no table", async () => {
  await using s = await openScene();
  const { live } = s;
  const { link, token } = await live.create(s.session, HOUR);
  const record = (act: () => Promise<unknown>) =>
    recordStatements(s.core.db, act);
  await assertBounded(
    s,
    new Map([
      ["openLink", await record(() => live.openLink(token))],
      ["findEnded", await record(() => live.findEnded([link.id, "none"]))],
      ["prune", await record(() => live.prune())],
    ]),
  );
});

Deno.test("a link goes with the row of its session, and counts as expired", async () => {
  await using s = await openScene();
  const { link } = await s.live.create(s.session, HOUR);
  await s.core.db.client.execute({
    sql: "DELETE FROM sessions WHERE id = ?",
    args: [s.session.id],
  });
  assert.equal(await s.countRows(), 0);
  assert.deepEqual(
    await s.live.findEnded([link.id]),
    new Map([[link.id, "expired"]]),
  );
});

Deno.test("the reconciler deletes links a day after they have expired, although the row of their session is kept", async () => {
  await using s = await openScene();
  await s.live.create(s.session, HOUR);
  s.clock.advance(DAY_MS + 3_600_000);
  await s.live.create(s.session, HOUR);
  assert.equal((await reconcileOnce(s.grid)).counts["prunedLinks"], 0);
  assert.equal(await s.countRows(), 2);
  s.clock.advance(60_000);
  assert.equal((await reconcileOnce(s.grid)).counts["prunedLinks"], 1);
  assert.equal(await s.countRows(), 1);
});

Deno.test("a session has at most 100 valid links, and keeps the last 100 that have ended", async () => {
  await using s = await openScene();
  const { live, session } = s;
  const fill = async () => {
    const links: string[] = [];
    for (let at = 0; at < 100; at++) {
      links.push((await live.create(session, HOUR)).link.id);
    }
    return links;
  };
  const [first = ""] = await fill();
  await assert.rejects(live.create(session, HOUR), { code: "live_link_limit" });
  const other = await s.api.session();
  await live.create(other, HOUR);
  await live.revoke({ sessionId: session.id, linkId: first }, BOOTSTRAP);
  await live.create(session, HOUR);
  s.clock.advance(3_600_000);
  await fill();
  s.clock.advance(3_600_000);
  await live.create(session, HOUR);
  assert.equal((await live.list(session, BOOTSTRAP)).length, 101);
});
