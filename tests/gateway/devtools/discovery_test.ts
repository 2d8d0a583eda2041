import assert from "node:assert/strict";
import { assertRefused } from "../../support/api.ts";
import { rawClient } from "../../support/raw_client.ts";
import { gatewayScene } from "../scene.ts";

Deno.test("the discovery endpoints return the grid's URLs in place of the browser's", async () => {
  await using scene = await gatewayScene();
  const { grid, url, upstream } = scene;
  const http = url.replace("ws", "http");
  for (const path of ["/json/version", "/json/version/"]) {
    const answer = await (await fetch(`${http}${path}`)).json();
    assert.deepEqual(answer, {
      Browser: "Chrome/1",
      webSocketDebuggerUrl: url,
    });
  }
  for (const path of ["/json/list", "/json", "/json/list/"]) {
    const text = await (await fetch(`${http}${path}`)).text();
    const [target] = JSON.parse(text);
    const socket = `${url}/devtools/page/PAGE`.replace("ws://", "");
    assert.equal(
      target.devtoolsFrontendUrl,
      `devtools://devtools/bundled/inspector.html?ws=${
        encodeURIComponent(socket)
      }`,
    );
    assert.equal(target.webSocketDebuggerUrl, `${url}/devtools/page/PAGE`);
    assert.ok(!text.includes(String(upstream.port)), text);
  }
  const quick = await fetch(
    `${grid.url}/v1/connect/json/version?headless=true`,
  );
  assert.equal(
    (await quick.json()).webSocketDebuggerUrl,
    `${grid.url.replace("http", "ws")}/v1/connect?headless=true`,
  );
});

Deno.test("URLs have the host of the request, or of public_url if it is set", async () => {
  await using scene = await gatewayScene();
  const named = scene.url.replace("ws://127.0.0.1", "http://localhost");
  const answer = await (await fetch(`${named}/json/version`)).json();
  assert.equal(
    answer.webSocketDebuggerUrl,
    named.replace("http", "ws"),
  );
  await using configured = await gatewayScene({
    grid: { settings: { public_url: "https://grid.example/" } },
  });
  const { body } = await configured.api.call(
    "GET",
    `/sessions/${configured.sessionId}`,
  );
  assert.equal(
    body.connect_url,
    `wss://grid.example/v1/sessions/${configured.sessionId}/cdp`,
  );
});

Deno.test("URLs contain a token in place of the key, from a header or the query, and the token connects", async () => {
  const key = "key-0123456789";
  const headers = { "x-api-key": key };
  await using scene = await gatewayScene({
    grid: { settings: { api_key: key } },
    headers,
  });
  const http = scene.url.replace("ws", "http");
  const rejected = await fetch(`${http}/json/version`);
  assert.equal(rejected.status, 401);
  await rejected.body?.cancel();
  for (
    const requesting of [
      fetch(`${http}/json/version`, { headers }),
      fetch(`${http}/json/version?token=${key}`),
    ]
  ) {
    const answer = await requesting;
    assert.equal(answer.headers.get("cache-control"), "no-store");
    const text = await answer.text();
    assert.ok(!text.includes(key), text);
    const url: string = JSON.parse(text).webSocketDebuggerUrl;
    assert.match(url, /\/cdp\?token=ct_\w+/);
    using client = await rawClient(url);
    assert.match(client.head, /^HTTP\/1.1 101 /);
    // A request with the token gets the same token, so its lifetime is not extended.
    const { search } = new URL(url);
    const again = await (await fetch(`${http}/json/list${search}`)).json();
    assert.equal(
      again[0].webSocketDebuggerUrl,
      `${scene.url}/devtools/page/PAGE${search}`,
    );
  }
});

for (const answer of ["", "{", "null", "7"]) {
  Deno.test(`a browser that responds with ${JSON.stringify(answer)} is rejected with worker_unreachable`, async () => {
    await using scene = await gatewayScene({ upstream: { answer } });
    for (const path of ["json/version", "json/list"]) {
      const rejected = await scene.api.call(
        "GET",
        `/sessions/${scene.sessionId}/cdp/${path}`,
      );
      assertRefused(rejected, { status: 503, code: "worker_unreachable" });
    }
  });
}

Deno.test("a response of the browser beyond the limit is not read to its end", async () => {
  const answer = `[${" ".repeat(17 * 1024 * 1024)}]`;
  await using scene = await gatewayScene({ upstream: { answer } });
  for (const path of ["json/list", "json/protocol"]) {
    const rejected = await scene.api.call(
      "GET",
      `/sessions/${scene.sessionId}/cdp/${path}`,
    );
    assertRefused(rejected, { status: 503, code: "worker_unreachable" });
  }
});
