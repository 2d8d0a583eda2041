import assert from "node:assert/strict";
import { startOwnedSession } from "../owned_session.ts";
import {
  type Answer,
  assertRefused,
  createApiClient,
} from "../../support/api.ts";
import { fakePage } from "../../support/fake_page.ts";
import { keyedGrid } from "../../support/keys.ts";
import { rawClient } from "../../support/raw_client.ts";
import { startUpstream, type Upstream } from "../../support/upstream.ts";
import { type GatewayScene, gatewayScene } from "../scene.ts";

const UNKNOWN = { status: 404, code: "target_not_found" };
const FOREIGN = { status: 403, code: "origin_not_allowed" };

function request(
  { api, sessionId }: GatewayScene,
  method: string,
  path: string,
): Promise<Answer> {
  return api.call(method, `/sessions/${sessionId}/cdp/json/${path}`);
}

/** Returns the requests that the browser has received, except the verifications. */
function listRequests({ asked }: Upstream): readonly string[] {
  return asked.filter((each) => each !== "GET /json/version");
}

Deno.test("PUT /json/new opens a page at the URL in the query and returns it with the grid's URLs", async () => {
  await using scene = await gatewayScene();
  const { upstream, sessionId } = scene;
  const urls = ["", "?https://a.example/?b=c&token=d#e", "?about%3Ablank"];
  for (const query of urls) {
    const { status, body } = await request(scene, "PUT", `new${query}`);
    assert.equal(status, 200);
    const { pathname } = new URL(body.webSocketDebuggerUrl);
    const expected = `/v1/sessions/${sessionId}/cdp/devtools/page/PAGE`;
    assert.equal(pathname, expected);
    assert.ok(!JSON.stringify(body).includes(String(upstream.port)));
  }
  assert.deepEqual(listRequests(upstream), [
    "PUT /json/new",
    // Clients do not send the fragment of a URL.
    "PUT /json/new?https://a.example/?b=c&token=d",
    "PUT /json/new?about%3Ablank",
  ]);
  for (const method of ["GET", "POST"]) {
    assertRefused(await request(scene, method, "new?about:blank"), {
      status: 405,
      code: "method_not_allowed",
    });
  }
  assert.equal(listRequests(upstream).length, urls.length);
});

Deno.test("close and activate return Chrome's response; an unknown page is rejected with target_not_found", async () => {
  await using scene = await gatewayScene();
  for (
    const [path, expected] of [
      ["close/PAGE", "Target is closing"],
      ["activate/PAGE", "Target activated"],
      ["activate/PAGE/", "Target activated"],
    ] as const
  ) {
    const { status, headers, text } = await request(scene, "GET", path);
    assert.deepEqual([status, text], [200, expected]);
    assert.match(headers.get("content-type") ?? "", /^text\/plain/);
  }
  for (const path of ["close/NONE", "activate/NONE", "close/a%2fb"]) {
    assertRefused(await request(scene, "GET", path), UNKNOWN);
  }
  const [{ detail }, none] = [
    (await request(scene, "GET", "close/NONE")).body,
    await request(scene, "GET", "close/"),
  ];
  assert.match(detail, /No such target id: NONE/);
  assertRefused(none, { status: 404, code: "not_found" });
});

Deno.test("the description of the protocol is returned unchanged", async () => {
  await using scene = await gatewayScene();
  for (const path of ["protocol", "protocol/"]) {
    const { headers, text } = await request(scene, "GET", path);
    assert.equal(text, '{"version":{"major":"1","minor":"3"},"domains":[]}');
    assert.equal(headers.get("content-type"), "application/json");
  }
});

Deno.test("a page of another site cannot make a visitor's browser close pages, although the request is a GET", async () => {
  await using scene = await gatewayScene();
  const { grid, sessionId, upstream } = scene;
  const path = `/v1/sessions/${sessionId}/cdp/json/close/PAGE`;
  const host = "127.0.0.1:8765";
  const foreign: Record<string, string>[] = [
    { origin: "https://evil.example" },
    { origin: "null" },
    // As in the request of an image.
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
  ];
  for (const headers of foreign) {
    for (const method of ["GET", "HEAD"]) {
      const init = { method, headers: { host, ...headers } };
      const { status } = await grid.request(path, init);
      assert.equal(status, FOREIGN.status, JSON.stringify(init));
    }
  }
  assert.deepEqual(upstream.asked, []);
  const own: Record<string, string>[] = [
    {},
    { "sec-fetch-site": "none" },
    { "sec-fetch-site": "same-origin", origin: `http://${host}` },
    { "sec-fetch-site": "cross-site", origin: "devtools://devtools" },
  ];
  for (const headers of own) {
    const { status } = await grid.request(path, {
      headers: { host, ...headers },
    });
    assert.equal(status, 200, JSON.stringify(headers));
  }
});

Deno.test("Chrome's built-in DevTools front end can connect to a page; pages of web sites cannot", async () => {
  await using scene = await gatewayScene({ upstream: { page: fakePage() } });
  const url = `${scene.url}/devtools/page/PAGE`;
  for (
    const [origin, status] of [
      ["devtools://devtools", 101],
      ["https://devtools", 403],
      ["https://chrome-devtools-frontend.appspot.com", 403],
    ] as const
  ) {
    using client = await rawClient(url, { Origin: origin });
    assert.match(client.head, new RegExp(`^HTTP/1.1 ${status} `), origin);
  }
});

Deno.test("a connection to a page that is not open is rejected with 404", async () => {
  await using scene = await gatewayScene({ upstream: { page: fakePage() } });
  for (const path of ["page/NONE", "page/none"]) {
    using client = await rawClient(`${scene.url}/devtools/${path}`);
    assert.match(client.head, /^HTTP\/1.1 404 /);
  }
});

Deno.test("pages are opened and closed by the session's owner and with its token; the browser does not receive the token", async () => {
  await using upstream = await startUpstream();
  await using grid = await keyedGrid();
  const { owner, worker, claimed, search } = await startOwnedSession(
    grid,
    upstream.endpoint,
  );
  const path = `/sessions/${claimed.id}/cdp/json`;
  const other = await grid.asNew();
  const anonymous = createApiClient(grid);
  const token = search.slice(1);
  for (
    const [api, query, status] of [
      [owner, "about:blank", 200],
      [other, "about:blank", 404],
      [worker, "about:blank", 403],
      [anonymous, "about:blank", 401],
      [anonymous, token, 200],
      [anonymous, `https://a.example/&${token}`, 200],
    ] as const
  ) {
    const answer = await api.call("PUT", `${path}/new?${query}`);
    assert.equal(answer.status, status, answer.text);
    if (status !== 200) continue;
    assert.match(answer.body.webSocketDebuggerUrl, /\?token=ct_/);
    assert.match(answer.body.devtoolsFrontendUrl, /PAGE%3Ftoken%3Dct_/);
  }
  const closed = await anonymous.call("GET", `${path}/close/PAGE${search}`);
  assert.equal(closed.status, 200);
  assert.deepEqual(listRequests(upstream), [
    "PUT /json/new?about:blank",
    "PUT /json/new",
    "PUT /json/new?https://a.example/",
    "GET /json/close/PAGE",
  ]);
});
