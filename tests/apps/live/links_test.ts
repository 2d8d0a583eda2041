/**
 * Links to the live view, without the API: tokens, validity, and what several servers on one database see.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { LiveManager } from "../../../src/apps/live/manager.ts";
import { BOOTSTRAP } from "../../../src/core/caller.ts";
import { GridError } from "../../../src/core/errors.ts";
import { createApiClient } from "../../support/api.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";

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
  assert.equal(error.code, "live_link_not_valid");
  return error.extensions["reason"];
}

Deno.test("openLink() accepts the token of a link until it is revoked", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const session = await api.session();
  const live = requireLive(grid);
  const { link, token } = await live.create(session, {
    ...HOUR,
    mode: "control",
  });
  assert.match(token, /^lv_[A-Za-z0-9_-]{43}$/);
  assert.deepEqual(await live.openLink(token), {
    id: link.id,
    sessionId: session.id,
    mode: "control",
    expiresAt: link.expiresAt,
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
