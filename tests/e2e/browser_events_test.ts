/**
 * Webhooks for events of real browsers: each template is raised by a page.
 *
 * @module
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { dockerTest } from "../support/docker.ts";
import { eventually } from "../support/eventually.ts";
import {
  type ReceivedRequest,
  startReceiver,
  verifySignature,
  type WebhookReceiver,
} from "../support/webhook_receiver.ts";
import { type BrowserGrid, browserGrid } from "./browser_grid.ts";

/** Settings by which the grid may send to a receiver on loopback. */
const ENV = {
  BROWSERGRID_WEBHOOK_ALLOW_HTTP: "true",
  BROWSERGRID_WEBHOOK_ALLOWED_NETWORKS: "127.0.0.1",
};

const PAGES: Readonly<Record<string, string>> = {
  "/": "<title>start</title>",
  "/other":
    `<title>other</title><iframe src="/frame"></iframe><img src="/missing">
    <script>
      console.log("fine");
      console.error("planted error");
      setTimeout(() => { throw new Error("planted exception") });
    </script>
    <a id="get" href="/file">get</a>`,
  "/frame": "frame",
};

/** Serves the pages until disposed. */
async function startSite(): Promise<
  AsyncDisposable & { readonly url: string }
> {
  const server = createServer((request, response) => {
    const { url = "" } = request;
    const page = PAGES[url];
    if (url === "/file") {
      response.writeHead(200, {
        "content-type": "application/octet-stream",
        "content-disposition": "attachment; filename=planted.bin",
      });
      response.end("planted");
    } else if (page === undefined) {
      response.writeHead(404);
      response.end();
    } else {
      response.writeHead(200, { "content-type": "text/html" });
      response.end(page);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Creates a webhook; its requests have its name as their path. */
async function createHook(
  grid: BrowserGrid,
  receiver: WebhookReceiver,
  name: string,
  fields: object,
) {
  const response = await fetch(`${grid.client.apiUrl}/v1/webhooks`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      name,
      url: new URL(`/${name}`, receiver.url),
      ...fields,
    }),
  });
  const body = await response.json();
  assert.equal(response.status, 201, JSON.stringify(body));
  return body;
}

/** Waits for a request to a webhook that meets a condition. */
async function waitFor(
  receiver: WebhookReceiver,
  name: string,
  meets: (body: ReceivedRequest["body"]) => boolean,
): Promise<ReceivedRequest> {
  return await eventually(`a request of ${name}`, () => {
    const found = receiver.received.find(({ path, body }) =>
      path === `/${name}` && meets(body)
    );
    return Promise.resolve(found);
  });
}

Deno.test("each template is raised by a page of a real browser, and the session is neither in use nor kept by its observer", async () => {
  await using site = await startSite();
  await using receiver = await startReceiver();
  await using grid = await browserGrid("local", ENV);
  const templates = [
    "failing_responses",
    "console_errors",
    "uncaught_exceptions",
    "downloads",
    "navigation",
    "session_crashed",
  ];
  const secrets = new Map<string, string>();
  for (const template of templates) {
    const { secret } = await createHook(grid, receiver, template, { template });
    secrets.set(template, secret);
  }
  await using page = await grid.page({ labels: { team: "a" } });
  const [session] = (await grid.client.listSessions()).items;
  assert.ok(session);
  // One client may connect: the observer is none.
  assert.equal(session.max_connections, 1);

  await page.call("Page.navigate", { url: `${site.url}/other` });
  const isOther = (params: { frame?: { url?: string } }) =>
    params.frame?.url === `${site.url}/other`;
  const navigation = await waitFor(
    receiver,
    "navigation",
    ({ data }) => isOther(data.event.params),
  );
  verifySignature(navigation, secrets.get("navigation") ?? "");
  const { type, data } = navigation.body;
  assert.equal(type, "cdp:Page.frameNavigated");
  assert.equal(data.session.id, session.id);
  assert.equal(data.session.status, "running");
  assert.deepEqual(data.session.labels, { team: "a" });
  assert.equal(data.target.type, "page");
  assert.equal(data.event.method, "Page.frameNavigated");

  const failing = await waitFor(
    receiver,
    "failing_responses",
    (body) => body.data.event.params.response.url === `${site.url}/missing`,
  );
  assert.equal(failing.body.data.event.params.response.status, 404);
  const logged = await waitFor(receiver, "console_errors", () => true);
  assert.equal(
    logged.body.data.event.params.args[0].value,
    "planted error",
  );
  const thrown = await waitFor(receiver, "uncaught_exceptions", () => true);
  assert.match(JSON.stringify(thrown.body), /planted exception/);

  await page.evaluate("document.getElementById('get').click()");
  const begun = await waitFor(
    receiver,
    "downloads",
    (body) => body.type === "cdp:Browser.downloadWillBegin",
  );
  assert.equal(
    begun.body.data.event.params.suggestedFilename,
    "planted.bin",
  );
  const ended = await waitFor(
    receiver,
    "downloads",
    (body) => body.type === "cdp:Browser.downloadProgress",
  );
  assert.match(ended.body.data.event.params.state, /^(completed|canceled)$/);

  for (const { path, body } of receiver.received) {
    const { params = {} } = body.data.event;
    if (path === "/navigation") assert.equal(params.frame.parentId, undefined);
    if (path === "/console_errors") assert.equal(params.type, "error");
  }
  const { details } = await grid.client.getSession(session.id);
  Deno.kill(Number(details["pid"]), "SIGKILL");
  const crashed = await waitFor(receiver, "session_crashed", () => true);
  assert.equal(crashed.body.data.session.id, session.id);
});

Deno.test("a session is idle although its page raises events without end", async () => {
  await using receiver = await startReceiver();
  await using grid = await browserGrid("local", ENV);
  await createHook(grid, receiver, "errors", { template: "console_errors" });
  {
    await using page = await grid.page({ idle_timeout_seconds: 2 });
    await page.evaluate("void setInterval(() => console.error('again'), 50)");
    await waitFor(receiver, "errors", () => true);
  }
  const [session] = (await grid.client.listSessions()).items;
  assert.ok(session);
  const findIdleSince = async () =>
    (await grid.client.getSession(session.id)).idle_since;
  const idleSince = await eventually(
    "the session is idle",
    async () => await findIdleSince() ?? undefined,
  );
  const { length } = receiver.received;
  await receiver.waitFor(length + 40);
  assert.equal(await findIdleSince(), idleSince);
});

dockerTest("events of a browser in a container reach a webhook", async () => {
  await using receiver = await startReceiver();
  await using grid = await browserGrid("docker", ENV);
  await createHook(grid, receiver, "errors", { template: "console_errors" });
  await using page = await grid.page({});
  await page.evaluate("console.error('in a container')");
  const { body } = await waitFor(receiver, "errors", () => true);
  const [session] = (await grid.client.listSessions()).items;
  assert.equal(body.data.session.id, session?.id);
  assert.equal(body.data.event.params.args[0].value, "in a container");
});
