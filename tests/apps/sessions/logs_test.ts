import assert from "node:assert/strict";
import type { ClaimedSession } from "../../../src/apps/sessions/schemas/leases.ts";
import { reconcileOnce } from "../../../src/reconciler/reconciler.ts";
import {
  type Answer,
  type Api,
  assertRefused,
  createApiClient,
} from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { IS_REMOTE, type TestGrid, testGrid } from "../../support/grid.ts";
import { keyedGrid } from "../../support/keys.ts";
import { followEvents, readLogText, type TextClient } from "./log_client.ts";

/** A running session and the requests of its worker. */
interface Scene {
  readonly api: Api;
  readonly id: string;
  readonly workerId: string;
  readonly claimed: ClaimedSession;
  /** Sends output; returns true while clients follow. */
  send(
    text: string,
    fields?: Readonly<Record<string, unknown>>,
  ): Promise<boolean>;
  /** Sends a heartbeat; returns the followed sessions of the response. */
  listFollowed(): Promise<readonly unknown[] | undefined>;
}

async function runSession(grid: TestGrid): Promise<Scene> {
  const api = createApiClient(grid);
  await api.pool();
  const { workerId, claimed } = await api.running();
  const { id, fencing_token } = claimed;
  return {
    api,
    id,
    workerId,
    claimed,
    async send(text, fields = {}) {
      const { status, body } = await api.call("POST", `/sessions/${id}/logs`, {
        fencing_token,
        text,
        ...fields,
      });
      assert.equal(status, 200, JSON.stringify(body));
      return body.followed;
    },
    async listFollowed() {
      const { body } = await api.call(
        "PUT",
        `/workerpool/workers/${workerId}/heartbeat`,
        { sessions: [{ session_id: id, fencing_token, status: "running" }] },
      );
      return body.followed;
    },
  };
}

async function followText(grid: TestGrid, id: string): Promise<TextClient> {
  return readLogText(await grid.request(`/v1/sessions/${id}/logs?follow=true`));
}

async function countParts({ core }: TestGrid): Promise<number> {
  const { rows } = await core.db.client.execute(
    "SELECT count(*) AS n FROM session_log_parts",
  );
  return Number(rows[0]?.n);
}

Deno.test("a follower gets what the worker sends, in order, and the end of the session", async () => {
  await using grid = await testGrid();
  const scene = await runSession(grid);
  assert.equal(await scene.listFollowed(), undefined);
  await using text = await followText(grid, scene.id);
  await using events = await followEvents(grid, scene.id);
  const { id, fencing_token } = scene.claimed;
  assert.deepEqual(await scene.listFollowed(), [
    { session_id: id, fencing_token },
  ]);
  assert.ok(await scene.send("one\n", { first: true }));
  assert.ok(await scene.send("two"));
  assert.ok(await scene.send("three\n", { omitted_bytes: 12 }));
  assert.ok(await scene.send("again\n", { first: true }));
  await scene.api.report(scene.workerId, scene.claimed, "completed", {
    status_reason: "closed",
  });
  const { headers } = text.response;
  assert.equal(headers.get("content-type"), "text/plain; charset=UTF-8");
  assert.equal(headers.get("cache-control"), "no-store, no-transform");
  assert.equal(
    await text.all(),
    "one\ntwo\n[browsergrid: 12 bytes left out]\nthree\n[browsergrid: last lines again]\nagain\n",
  );
  const parts = [];
  for (let at = 0; at < 4; at++) parts.push(await events.next());
  assert.deepEqual(
    parts.map(({ text, omitted_bytes, first }) => [text, omitted_bytes, first]),
    [["one\n", 0, true], ["two", 0, false], ["three\n", 12, false], [
      "again\n",
      0,
      true,
    ]],
  );
  assert.deepEqual(await events.end(), {
    event: "session_ended",
    data: '{"status":"completed","status_reason":"closed"}',
  });
});

Deno.test("without followers nothing is asked for and nothing is stored", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const scene = await runSession(grid);
  assert.ok(!await scene.send("lost\n"));
  assert.equal(await countParts(grid), 0);
  {
    await using _stream = await followText(grid, scene.id);
    assert.ok(await scene.send("one\n"));
  }
  // A client may reconnect within 3 s.
  assert.equal((await scene.listFollowed())?.length, 1);
  await eventually("the session is released", async () => {
    clock.advance(3_001);
    return !await scene.send("lost\n");
  });
  assert.equal(await scene.listFollowed(), undefined);
  assert.equal(await countParts(grid), 1);
});

Deno.test("a second follower begins with the worker's first lines, a later one with none of them", async () => {
  await using grid = await testGrid();
  const scene = await runSession(grid);
  {
    await using first = await followText(grid, scene.id);
    await scene.listFollowed();
    await scene.send("one\n", { first: true });
    await scene.send("two\n");
    await using second = await followText(grid, scene.id);
    await second.until(/^one\ntwo\n$/);
    await first.until(/^one\ntwo\n$/);
  }
  await eventually(
    "the session is released",
    async () => await scene.listFollowed() === undefined,
  );
  await using later = await followText(grid, scene.id);
  await scene.listFollowed();
  await scene.send("two\nthree\n", { first: true });
  await later.until(/^two\nthree\n$/);
});

Deno.test("a client that reconnects with Last-Event-ID misses nothing and gets nothing twice", async () => {
  await using grid = await testGrid();
  const scene = await runSession(grid);
  let id = 0;
  {
    await using stream = await followEvents(grid, scene.id);
    await scene.listFollowed();
    await scene.send("one\n", { first: true });
    id = (await stream.next()).id;
  }
  await scene.send("two\n");
  await using stream = await followEvents(grid, scene.id, {
    "last-event-id": String(id),
  });
  await scene.send("three\n");
  assert.equal((await stream.next()).text, "two\n");
  assert.equal((await stream.next()).text, "three\n");
});

Deno.test("a session that has ended is followed by its stored output, a pending one from its start on", async () => {
  await using grid = await testGrid();
  const { api } = await runSession(grid);
  const pending = await api.session();
  await using stream = await followText(grid, pending.id);
  const workerId = await api.worker();
  const claimed = await api.claim(workerId);
  assert.ok(claimed);
  const { body } = await api.call(
    "PUT",
    `/workerpool/workers/${workerId}/heartbeat`,
    {
      sessions: [{
        session_id: claimed.id,
        fencing_token: claimed.fencing_token,
        status: "running",
        endpoint: "ws://127.0.0.1:9/devtools/browser/x",
      }],
    },
  );
  assert.equal(body.followed.length, 1);
  await api.report(workerId, claimed, "crashed", { logs: "the last line" });
  // Its worker has sent nothing before the end.
  assert.equal(await stream.all(), "");
  await using ended = await followText(grid, pending.id);
  assert.equal(await ended.all(), "the last line\n");
  await using events = await followEvents(grid, pending.id);
  assert.equal((await events.next()).text, "the last line\n");
  assert.match((await events.end())?.data ?? "", /"status":"crashed"/);
});

Deno.test("output is for the session's owner and admins, and only its worker may send it", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  const owner = await grid.asNew();
  const { id } = await owner.session();
  const workerId = await grid.admin.worker();
  const claimed = await grid.admin.claim(workerId);
  assert.equal(claimed?.id, id);
  const path = `/sessions/${id}/logs`;
  const open = (api: Api) => api.call("GET", `${path}?follow=true`);
  assert.equal((await open(owner)).status, 200);
  assert.equal((await open(grid.admin)).status, 200);
  const missing = { status: 404, code: "session_not_found" };
  const forbidden = { status: 403, code: "forbidden" };
  assertRefused(await open(await grid.asNew()), missing);
  assertRefused(await open(await grid.asNew({ role: "worker" })), forbidden);
  const part = { fencing_token: claimed?.fencing_token, text: "x" };
  assertRefused(await owner.call("POST", path, part), forbidden);
  const stale = { ...part, fencing_token: 7 };
  const lost = { status: 409, code: "lease_lost" };
  assertRefused(await grid.admin.call("POST", path, stale), lost);
  const unknown = path.replace(id, "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d");
  assertRefused(await grid.admin.call("POST", unknown, part), missing);
  const long = { ...part, text: "x".repeat(65_537) };
  const invalid: Answer = await grid.admin.call("POST", path, long);
  assertRefused(invalid, { status: 422, code: "invalid_request" });
});

Deno.test("a key may follow so many sessions, and one more after one has ended", async () => {
  await using grid = await testGrid({
    settings: {
      app_options: {
        sessions: { max_log_streams: 3, max_log_streams_per_key: 2 },
      },
    },
  });
  const { api, id } = await runSession(grid);
  await using _first = await followText(grid, id);
  const second = await followText(grid, id);
  const answer = await api.call("GET", `/sessions/${id}/logs?follow=true`);
  assertRefused(answer, { status: 429, code: "too_many_log_streams" });
  assert.equal(answer.headers.get("retry-after"), "10");
  await second[Symbol.asyncDispose]();
  await using _third = await followText(grid, id);
});

Deno.test("a session keeps 64 parts, for a minute", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const scene = await runSession(grid);
  await using _stream = await followText(grid, scene.id);
  for (let at = 0; at < 80; at++) await scene.send(`${at}\n`);
  assert.equal(await countParts(grid), 64);
  clock.advance(61_000);
  await reconcileOnce(grid);
  assert.equal(await countParts(grid), 0);
});

Deno.test("streams end with a note when the server stops", async () => {
  await using grid = await testGrid({ listen: true });
  const { id } = await runSession(grid);
  const path = `${grid.url}/v1/sessions/${id}/logs?follow=true`;
  await using text = readLogText(await fetch(path));
  const stopped = grid[Symbol.asyncDispose]();
  assert.equal(await text.all(), "[browsergrid: the server stops]\n");
  await stopped;
});

Deno.test("a follower wakes the worker's claim, which then sends a heartbeat", async () => {
  await using grid = await testGrid();
  const scene = await runSession(grid);
  const claim = scene.api.call(
    "POST",
    `/workerpool/workers/${scene.workerId}/claim-session?wait=20`,
  );
  await using _stream = await followText(grid, scene.id);
  const { status, body } = await claim;
  assert.deepEqual([status, body.sessions, body.commands], [200, [], []]);
});

Deno.test({
  name:
    "a follower at one server gets the output that the worker sends to another",
  ignore: IS_REMOTE,
  async fn() {
    await using one = await testGrid();
    await using two = await testGrid({ dataDir: one.dataDir });
    const scene = await runSession(one);
    const claim = scene.api.call(
      "POST",
      `/workerpool/workers/${scene.workerId}/claim-session?wait=20`,
    );
    await using stream = await followText(two, scene.id);
    assert.equal((await claim).status, 200);
    assert.equal((await scene.listFollowed())?.length, 1);
    await scene.send("one\n", { first: true });
    await stream.until(/^one\n$/);
    await scene.send("two\n");
    await scene.api.report(scene.workerId, scene.claimed, "completed");
    assert.equal(await stream.all(), "one\ntwo\n");
  },
});
