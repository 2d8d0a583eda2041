import assert from "node:assert/strict";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { fakePage, RESULTS, type Results } from "../../support/fake_page.ts";
import { keyedGrid } from "../../support/keys.ts";
import { startUpstream } from "../../support/upstream.ts";
import { within } from "../../support/within.ts";
import {
  type GatewayScene,
  gatewayScene,
  type SceneOptions,
} from "../scene.ts";

const LOOKS = ["screenshot", "pdf", "content"];

/** Longer than the longest look. */
const LATE_MS = 25_001;

/** A scene whose one page answers with `results`. */
function sceneOf(
  results: Results = RESULTS,
  options: SceneOptions = {},
): Promise<GatewayScene> {
  return gatewayScene({ upstream: { page: fakePage(results) }, ...options });
}

/** Resolves when the streams to the browser that the server has opened are closed. */
async function streamsClosed({ upstream }: GatewayScene): Promise<void> {
  const closed = upstream.sockets.map((socket) =>
    new Promise<void>((resolve) => {
      if (socket.closed) resolve();
      else socket.once("close", () => resolve());
    })
  );
  await within(Promise.all(closed), {
    what: "the stream to the page is closed",
    ms: 5_000,
  });
}

/** Resolves when the page has been asked for something. */
async function asked(commands: { readonly next: Promise<void> }) {
  await within(commands.next, { what: "the page is asked", ms: 5_000 });
}

/** A page that answers nothing to `method`, and tells when it was asked for it. */
function hanging(method: string) {
  const { promise: next, resolve } = Promise.withResolvers<void>();
  const results = { ...RESULTS, [method]: undefined };
  const page: ReturnType<typeof fakePage> = (socket) => {
    fakePage(results)(socket);
    socket.on("message", (data) => {
      if (String(data).includes(`"${method}"`)) resolve();
    });
  };
  return { next, page };
}

Deno.test("a look ends its stream to the browser, and counts as no client of the session", async () => {
  await using scene = await sceneOf();
  const { api, sessionId, upstream } = scene;
  const before = await api.call("GET", `/sessions/${sessionId}/events`);
  for (const look of LOOKS) {
    const { status } = await api.call("GET", `/sessions/${sessionId}/${look}`);
    assert.equal(status, 200, look);
  }
  assert.equal(upstream.sockets.length, LOOKS.length);
  await streamsClosed(scene);
  const after = await api.call("GET", `/sessions/${sessionId}/events`);
  assert.deepEqual(after.body, before.body);
});

Deno.test("what a look shows is harmless in a browser and is not compressed", async () => {
  await using scene = await sceneOf({
    ...RESULTS,
    "Page.captureScreenshot": { data: btoa("x".repeat(10_000)) },
  });
  const types = ["image/png", "application/pdf", "text/html; charset=utf-8"];
  for (const [at, look] of LOOKS.entries()) {
    const response = await fetch(
      `${scene.grid.url}/v1/sessions/${scene.sessionId}/${look}`,
    );
    await response.bytes();
    const { headers } = response;
    assert.equal(headers.get("content-type"), types[at]);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("content-encoding"), null);
    assert.equal(headers.get("cache-control"), "no-store");
    const policy = headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'/);
    assert.equal(/^sandbox;/.test(policy), look === "content");
    assert.doesNotMatch(policy, /allow-|script-src|connect-src/);
  }
});

Deno.test("a picture is taken in the format and of the part of the page that is asked for", async () => {
  const commands: { method: string; params: Record<string, unknown> }[] = [];
  await using scene = await gatewayScene({
    upstream: {
      page: (socket) => {
        socket.on("message", (data) => {
          commands.push(JSON.parse(String(data)));
        });
        fakePage({
          ...RESULTS,
          "Page.getLayoutMetrics": {
            cssContentSize: { width: 800, height: 16_384 },
          },
          "Runtime.evaluate": { result: { value: 2 } },
        })(socket);
      },
    },
  });
  const path = `/sessions/${scene.sessionId}/screenshot`;
  const { headers } = await scene.api.call(
    "GET",
    `${path}?format=jpeg&quality=7&full_page=true&target_id=PAGE`,
  );
  assert.equal(headers.get("content-type"), "image/jpeg");
  const { method, params } = commands.at(-1) ?? {};
  assert.equal(method, "Page.captureScreenshot");
  assert.deepEqual(params, {
    format: "jpeg",
    quality: 7,
    captureBeyondViewport: true,
    // Of what is longer in pixels Chrome makes nothing.
    clip: { x: 0, y: 0, width: 800, height: 16_384, scale: 0.5 },
  });
  for (const wrong of ["format=gif", "quality=101", "full_page=perhaps"]) {
    assertRefused(await scene.api.call("GET", `${path}?${wrong}`), {
      status: 422,
      code: "invalid_request",
    });
  }
});

for (
  const [look, method] of [
    ["screenshot", "Page.captureScreenshot"],
    ["screenshot?full_page=true", "Page.getLayoutMetrics"],
    ["pdf", "Page.printToPDF"],
    ["content", "DOM.getDocument"],
  ] as const
) {
  Deno.test(`a page that does not answer ${method} ends a look with browser_timeout and leaves no stream`, async () => {
    const clock = createFakeClock();
    const page = hanging(method);
    await using scene = await gatewayScene({
      upstream: page,
      grid: { clock },
    });
    const { api, sessionId } = scene;
    const looking = api.call("GET", `/sessions/${sessionId}/${look}`);
    await asked(page);
    clock.advance(LATE_MS);
    assertRefused(await looking, { status: 504, code: "browser_timeout" });
    await streamsClosed(scene);
  });
}

Deno.test("a look ends when whoever asked for it has gone", async () => {
  const page = hanging("Page.captureScreenshot");
  await using scene = await gatewayScene({ upstream: page });
  const leaving = new AbortController();
  const looking = fetch(
    `${scene.grid.url}/v1/sessions/${scene.sessionId}/screenshot`,
    { signal: leaving.signal },
  );
  await asked(page);
  leaving.abort();
  await assert.rejects(looking, { name: "AbortError" });
  await streamsClosed(scene);
});

Deno.test("a document that nobody reads to its end is given up, and its stream with it", async () => {
  const clock = createFakeClock();
  let parts = 0;
  await using scene = await gatewayScene({
    upstream: {
      page: (socket) =>
        void socket.on("message", (data) => {
          const { id, method } = JSON.parse(String(data));
          const endless = { data: "x".repeat(262_144), eof: false };
          const isRead = method === "IO.read";
          if (isRead) parts++;
          const result = isRead ? endless : RESULTS[method];
          socket.send(JSON.stringify({ id, result }));
        }),
    },
    grid: { clock },
  });
  const response = await scene.grid.request(
    `/v1/sessions/${scene.sessionId}/pdf`,
  );
  assert.equal(response.status, 200);
  const reader = response.body?.getReader();
  assert.equal((await reader?.read())?.value?.length, 262_144);
  // Of what is not taken only a little is read beforehand.
  assert.ok(parts <= 4, `${parts} parts`);
  clock.advance(LATE_MS);
  await streamsClosed(scene);
  await assert.rejects(async () => {
    while (!(await reader?.read())?.done);
  }, /does not answer within/);
});

Deno.test("a document whose reader goes away is read no further", async () => {
  await using scene = await sceneOf({
    ...RESULTS,
    "Page.printToPDF": { stream: "1" },
  });
  const response = await scene.grid.request(
    `/v1/sessions/${scene.sessionId}/pdf`,
  );
  await response.body?.cancel();
  await streamsClosed(scene);
});

for (
  const [what, results, words] of [
    ["refuses", {}, /says "'DOM.getDocument' wasn't found"/],
    ["answers too much", {
      ...RESULTS,
      "DOM.getOuterHTML": { outerHTML: "x".repeat(65 * 1024 * 1024) },
    }, /more than 67108864 bytes/],
  ] as const
) {
  Deno.test(`a browser that ${what} is told of in its own words`, async () => {
    await using scene = await sceneOf(results);
    const path = `/sessions/${scene.sessionId}/content`;
    const refused = await scene.api.call("GET", path);
    assertRefused(refused, { status: 409, code: "browser_refused" }, words);
    await streamsClosed(scene);
  });
}

for (
  const [look, results, words] of [
    [
      "screenshot",
      { "Page.captureScreenshot": { data: "" } },
      /empty png picture, expected a viewport of at most 16384 pixels/,
    ],
    [
      "screenshot?format=webp&full_page=true",
      { "Page.captureScreenshot": { data: "" } },
      /empty webp picture, expected format=png or jpeg.* 16383 pixels/,
    ],
    ["pdf", { "IO.read": { data: "", eof: true } }, /empty document/],
    ["content", { "DOM.getOuterHTML": { outerHTML: "" } }, /empty document/],
  ] as const
) {
  Deno.test(`${look} without data from the browser is a problem, not a 200`, async () => {
    await using scene = await sceneOf({ ...RESULTS, ...results });
    const path = `/sessions/${scene.sessionId}/${look}`;
    const refused = await scene.api.call("GET", path);
    assertRefused(refused, { status: 409, code: "browser_refused" }, words);
    await streamsClosed(scene);
  });
}

Deno.test("a document whose first part is empty is read to its end", async () => {
  const parts = ["", "%PDF-", "", "1.4"];
  await using scene = await gatewayScene({
    upstream: {
      page: (socket) =>
        void socket.on("message", (data) => {
          const { id, method } = JSON.parse(String(data));
          const result = method === "IO.read"
            ? { data: parts.shift(), eof: parts.length === 0 }
            : RESULTS[method];
          socket.send(JSON.stringify({ id, result }));
        }),
    },
  });
  const path = `/sessions/${scene.sessionId}/pdf`;
  const { status, text } = await scene.api.call("GET", path);
  assert.deepEqual([status, text], [200, "%PDF-1.4"]);
});

Deno.test("looks at one session take turns; who gives up is passed over, and other sessions do not wait", async () => {
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
  const look = (id: string, signal?: AbortSignal) =>
    fetch(`${grid.url}/v1/sessions/${id}/content`, signal ? { signal } : {});
  const isHeld = (count: number) =>
    eventually(
      `${count} pages are asked`,
      () => Promise.resolve(held.length === count),
    );
  const first = look(sessionId);
  await isHeld(1);
  const leaving = new AbortController();
  const second = look(sessionId, leaving.signal);
  const third = look(sessionId);
  const other = look(claimed.id);
  await isHeld(2);
  assert.equal(most, 2, "one of each session");
  leaving.abort();
  await assert.rejects(second, { name: "AbortError" });
  for (const letIn of held.splice(0)) letIn();
  await isHeld(1);
  for (const letIn of held) letIn();
  for (const answer of await Promise.all([first, third, other])) {
    assert.equal(answer.status, 200);
    await answer.bytes();
  }
  assert.equal(most, 2);
});

Deno.test("the content of a page that becomes another while it is asked for is that of the other", async () => {
  const given: string[] = [];
  await using scene = await gatewayScene({
    upstream: {
      page: (socket) =>
        void socket.on("message", (data) => {
          const { id, method } = JSON.parse(String(data));
          given.push(method);
          const error = { code: -32000, message: "Could not find node" };
          const answer = given.length === 2
            ? { error }
            : { result: RESULTS[method] };
          socket.send(JSON.stringify({ id, ...answer }));
        }),
    },
  });
  const path = `/sessions/${scene.sessionId}/content`;
  assert.equal((await scene.api.call("GET", path)).status, 200);
  assert.equal(given.length, 4);
});

Deno.test("a browser that hangs up during a look, or talks nonsense, cannot be reached", async () => {
  for (const answer of ["", "{", '{"id":"1"}', '{"id":1,"result":7}']) {
    await using scene = await gatewayScene({
      upstream: {
        page: (socket) =>
          void socket.on("message", () => {
            if (answer === "") socket.terminate();
            else socket.send(answer);
          }),
      },
    });
    const path = `/sessions/${scene.sessionId}/content`;
    assertRefused(await scene.api.call("GET", path), {
      status: 503,
      code: "worker_unreachable",
    });
    await streamsClosed(scene);
  }
});

Deno.test("a look at a page that is not open, or in a browser without one, is refused with target_not_found", async () => {
  const refusal = { status: 404, code: "target_not_found" };
  await using scene = await sceneOf();
  const path = (id: string) => `/sessions/${id}/content`;
  assertRefused(
    await scene.api.call("GET", `${path(scene.sessionId)}?target_id=NONE`),
    refusal,
  );
  await streamsClosed(scene);
  const others = JSON.stringify([{ id: "W", type: "worker" }]);
  await using empty = await gatewayScene({ upstream: { targets: others } });
  assertRefused(await empty.api.call("GET", path(empty.sessionId)), refusal);
});

Deno.test("a look is for a session's owner and admins, and not for its connect token", async () => {
  await using upstream = await startUpstream({ page: fakePage() });
  await using grid = await keyedGrid();
  await grid.admin.pool();
  const { key } = await grid.key();
  const worker = await grid.asNew({ role: "worker" });
  const owner = grid.as(key);
  const { connect_url } = await owner.session();
  const workerId = await worker.worker();
  const claimed = await worker.claim(workerId);
  assert.ok(claimed);
  const { endpoint } = upstream;
  await worker.report(workerId, claimed, "running", { endpoint });
  const { search } = new URL(connect_url);
  for (const look of LOOKS) {
    const path = `/sessions/${claimed.id}/${look}`;
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
      const answer = await api.call("GET", path + query);
      assert.equal(answer.status, status, answer.text);
    }
  }
});

Deno.test("a session that has ended cannot be looked at", async () => {
  await using scene = await sceneOf();
  const { api, sessionId } = scene;
  await api.call("DELETE", `/sessions/${sessionId}?force=true`);
  for (const look of LOOKS) {
    assertRefused(await api.call("GET", `/sessions/${sessionId}/${look}`), {
      status: 410,
      code: "session_ended",
    });
  }
});

Deno.test("another browser at the address of a session's own is neither looked at nor asked for anything", async () => {
  await using scene = await sceneOf();
  const { upstream } = scene;
  const gone = upstream.endpoint.replace(/[^/]*$/, "gone");
  const { claimed: { id } } = await scene.api.running({}, gone);
  const paths = [...LOOKS, "cdp/json/version", "cdp/json/list"];
  for (const path of paths) {
    const answer = await scene.api.call("GET", `/sessions/${id}/${path}`);
    assertRefused(answer, {
      status: 503,
      code: "worker_unreachable",
    });
  }
  const opened = await scene.api.call("PUT", `/sessions/${id}/cdp/json/new`);
  assertRefused(opened, { status: 503, code: "worker_unreachable" });
  assert.ok(upstream.asked.every((each) => each.endsWith("/json/version")));
});
