import assert from "node:assert/strict";
import { startOwnedSession } from "../owned_session.ts";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { fakePage, RESULTS } from "../../support/fake_page.ts";
import { keyedGrid } from "../../support/keys.ts";
import { startUpstream } from "../../support/upstream.ts";
import { gatewayScene } from "../scene.ts";
import {
  CAPTURES,
  captureScene,
  hangingPage,
  LATE_MS,
  waitForStreamsClosed,
} from "./scene.ts";

Deno.test("a capture closes its stream to the browser and does not count as a client of the session", async () => {
  await using scene = await captureScene();
  const { api, sessionId, upstream } = scene;
  const before = await api.call("GET", `/sessions/${sessionId}/events`);
  for (const capture of CAPTURES) {
    const { status } = await api.call(
      "GET",
      `/sessions/${sessionId}/${capture}`,
    );
    assert.equal(status, 200, capture);
  }
  assert.equal(upstream.sockets.length, CAPTURES.length);
  await waitForStreamsClosed(scene);
  const after = await api.call("GET", `/sessions/${sessionId}/events`);
  assert.deepEqual(after.body, before.body);
});

Deno.test("a capture is safe to display in a browser and is not compressed", async () => {
  await using scene = await captureScene({
    ...RESULTS,
    "Page.captureScreenshot": { data: btoa("x".repeat(10_000)) },
  });
  const types = ["image/png", "application/pdf", "text/html; charset=utf-8"];
  for (const [at, capture] of CAPTURES.entries()) {
    const response = await fetch(
      `${scene.grid.url}/v1/sessions/${scene.sessionId}/${capture}`,
    );
    await response.bytes();
    const { headers } = response;
    assert.equal(headers.get("content-type"), types[at]);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("content-encoding"), null);
    assert.equal(headers.get("cache-control"), "no-store");
    const policy = headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'/);
    assert.equal(/^sandbox;/.test(policy), capture === "content");
    assert.doesNotMatch(policy, /allow-|script-src|connect-src/);
  }
});

for (
  const [capture, method] of [
    ["screenshot", "Page.captureScreenshot"],
    ["screenshot?full_page=true", "Page.getLayoutMetrics"],
    ["pdf", "Page.printToPDF"],
    ["content", "DOM.getDocument"],
  ] as const
) {
  Deno.test(`a capture of a page that does not respond to ${method} ends with browser_timeout and leaves no stream`, async () => {
    const clock = createFakeClock();
    const page = hangingPage(method);
    await using scene = await gatewayScene({
      upstream: page,
      grid: { clock },
    });
    const { api, sessionId } = scene;
    const capturing = api.call("GET", `/sessions/${sessionId}/${capture}`);
    await page.received;
    clock.advance(LATE_MS);
    assertRefused(await capturing, { status: 504, code: "browser_timeout" });
    await waitForStreamsClosed(scene);
  });
}

Deno.test("a capture ends when its client disconnects", async () => {
  const page = hangingPage("Page.captureScreenshot");
  await using scene = await gatewayScene({ upstream: page });
  const leaving = new AbortController();
  const capturing = fetch(
    `${scene.grid.url}/v1/sessions/${scene.sessionId}/screenshot`,
    { signal: leaving.signal },
  );
  await page.received;
  leaving.abort();
  await assert.rejects(capturing, { name: "AbortError" });
  await waitForStreamsClosed(scene);
});

Deno.test("captures of one session run one at a time; a client that disconnects loses its turn, and other sessions do not wait", async () => {
  let open = 0;
  let most = 0;
  const held: (() => void)[] = [];
  const page: ReturnType<typeof fakePage> = (socket) => {
    most = Math.max(most, ++open);
    socket.once("close", () => open--);
    fakePage()(socket);
    socket.pause();
    held.push(() => socket.resume());
  };
  await using scene = await gatewayScene({ upstream: { page } });
  const { api, grid, sessionId, upstream } = scene;
  const { claimed } = await api.running({}, upstream.endpoint);
  const capture = (id: string, signal?: AbortSignal) =>
    fetch(`${grid.url}/v1/sessions/${id}/content`, signal ? { signal } : {});
  const waitForHeld = (count: number) =>
    eventually(
      `${count} pages get a command`,
      () => Promise.resolve(held.length === count),
    );
  const first = capture(sessionId);
  await waitForHeld(1);
  const leaving = new AbortController();
  const second = capture(sessionId, leaving.signal);
  const third = capture(sessionId);
  const other = capture(claimed.id);
  await waitForHeld(2);
  assert.equal(most, 2, "one of each session");
  leaving.abort();
  await assert.rejects(second, { name: "AbortError" });
  for (const resume of held.splice(0)) resume();
  await waitForHeld(1);
  for (const resume of held) resume();
  for (const response of await Promise.all([first, third, other])) {
    assert.equal(response.status, 200);
    await response.bytes();
  }
  assert.equal(most, 2);
});

Deno.test("a capture of a page that is not open, or of a browser without a page, is rejected with target_not_found", async () => {
  const problem = { status: 404, code: "target_not_found" };
  await using scene = await captureScene();
  const path = (id: string) => `/sessions/${id}/content`;
  assertRefused(
    await scene.api.call("GET", `${path(scene.sessionId)}?target_id=NONE`),
    problem,
  );
  await waitForStreamsClosed(scene);
  const others = JSON.stringify([{ id: "W", type: "worker" }]);
  await using empty = await gatewayScene({ upstream: { targets: others } });
  assertRefused(await empty.api.call("GET", path(empty.sessionId)), problem);
});

Deno.test("captures are for a session's owner and admins, not for its connect token", async () => {
  await using upstream = await startUpstream({ page: fakePage() });
  await using grid = await keyedGrid();
  const { owner, worker, claimed, search } = await startOwnedSession(
    grid,
    upstream.endpoint,
  );
  for (const capture of CAPTURES) {
    const path = `/sessions/${claimed.id}/${capture}`;
    for (
      const [api, query, status] of [
        [owner, "", 200],
        [grid.admin, "", 200],
        [await grid.asNew(), "", 404],
        [worker, "", 403],
        [createApiClient(grid), "", 401],
        [createApiClient(grid), search, 401],
      ] as const
    ) {
      const response = await api.call("GET", path + query);
      assert.equal(response.status, status, response.text);
    }
  }
});

Deno.test("a capture of a session that has ended is rejected with session_ended", async () => {
  await using scene = await captureScene();
  const { api, sessionId } = scene;
  await api.call("DELETE", `/sessions/${sessionId}?force=true`);
  for (const capture of CAPTURES) {
    assertRefused(await api.call("GET", `/sessions/${sessionId}/${capture}`), {
      status: 410,
      code: "session_ended",
    });
  }
});

Deno.test("no capture and no command reaches another browser at the address of a session's browser", async () => {
  await using scene = await captureScene();
  const { upstream } = scene;
  const gone = upstream.endpoint.replace(/[^/]*$/, "gone");
  const { claimed: { id } } = await scene.api.running({}, gone);
  const paths = [...CAPTURES, "cdp/json/version", "cdp/json/list"];
  for (const path of paths) {
    const response = await scene.api.call("GET", `/sessions/${id}/${path}`);
    assertRefused(response, {
      status: 503,
      code: "worker_unreachable",
    });
  }
  const opened = await scene.api.call("PUT", `/sessions/${id}/cdp/json/new`);
  assertRefused(opened, { status: 503, code: "worker_unreachable" });
  assert.ok(upstream.asked.every((each) => each.endsWith("/json/version")));
});
