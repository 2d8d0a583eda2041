import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { systemClock } from "../../src/async/clock.ts";
import type { BrowserHost } from "../../src/core/provider.ts";
import { local } from "../../src/providers/local/provider.ts";
import { browserSpec } from "../support/browser_spec.ts";
import { cdpClient } from "../support/cdp_client.ts";
import { docker, dockerMissing, testDockerHost } from "../support/docker.ts";
import { eventually } from "../support/eventually.ts";

/** Idle time of the browsers. */
const IDLE_MS = 60_000;

const SITE = "http://site.example/";

/** A page that triggers Chromium's services: a foreign language to translate, forms to fill, passwords to save. */
const PAGE = `<!DOCTYPE html><html lang="de"><title>Anmeldung</title>
<p>Dies ist ein deutscher Text, lang genug, dass seine Sprache erkannt wird und jemand ihn übersetzen wollte.</p>
<form action="/order" method="post">
<input name="name" autocomplete="name"><input name="email" type="email" autocomplete="email">
<input name="street" autocomplete="street-address"><input name="city"><input name="zip">
<input name="card" autocomplete="cc-number"><input name="password" type="password">
<button>Bestellen</button></form>`;

const never = new AbortController().signal;

/** A proxy that serves one site and records other requests. Disposal closes it. */
interface CountingProxy extends AsyncDisposable {
  readonly url: string;
  /** First lines of the requests: `GET http://…` and `CONNECT host:443`. */
  readonly requests: readonly string[];
}

async function startCountingProxy(address: string): Promise<CountingProxy> {
  const requests: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => open.delete(socket));
    socket.once("data", (bytes: Uint8Array) => {
      const [line = ""] = new TextDecoder().decode(bytes).split(" HTTP/", 1);
      requests.push(line);
      socket.end(
        line === `GET ${SITE}`
          ? `HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n\r\n${PAGE}`
          : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
      );
    });
  });
  server.listen(0, address);
  await once(server, "listening");
  // AddressInfo, because the server listens on a port, not on a socket file.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${address}:${port}`,
    requests,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

/** A host whose browsers can reach `address`, on which the test listens. */
interface Place {
  readonly name: string;
  readonly host: BrowserHost;
  readonly address: string;
}

async function openLocal(stack: AsyncDisposableStack): Promise<Place> {
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-idle-" });
  stack.defer(() => Deno.remove(dataDir, { recursive: true }));
  const host = stack.use(
    await local.open(local.configSchema.parse({}), {
      ...{ gridId: "grid-1", workerId: "worker-1", dataDir },
    }),
  );
  return { name: "local", host, address: "127.0.0.1" };
}

async function openDocker(stack: AsyncDisposableStack): Promise<Place> {
  const name = `browsergrid-idle-${crypto.randomUUID()}`;
  const network = await docker.createNetwork({ Name: name });
  stack.defer(() => network.remove());
  const { IPAM } = await network.inspect();
  const { host } = stack.use(await testDockerHost({ network: name }));
  return { name: "docker", host, address: IPAM?.Config?.[0]?.Gateway ?? "" };
}

/** Opens the site in a browser, leaves it idle, and returns the requests to its proxy. */
async function createRequests(
  { name, host, address }: Place,
  headless: boolean,
): Promise<readonly string[]> {
  await using proxy = await startCountingProxy(address);
  const spec = browserSpec({ headless, proxy: { proxy_url: proxy.url } });
  const browser = await host.start(spec, `${name}-${headless}`, never);
  try {
    const answer = await fetch(`http://${browser.endpoint.host}/json/list`);
    const [target] = await answer.json();
    await using page = await cdpClient(target.webSocketDebuggerUrl);
    await page.call("Page.navigate", { url: SITE });
    await eventually(
      "the page is there",
      async () => await page.evaluate("document.title") === "Anmeldung",
    );
    await systemClock.sleep(IDLE_MS);
    return [...proxy.requests];
  } finally {
    await browser.stop(0);
  }
}

Deno.test("a browser that shows a page for a minute requests only that page through its proxy: headless, headful, local and in containers", async () => {
  await using stack = new AsyncDisposableStack();
  if (dockerMissing !== undefined) {
    // deno-lint-ignore no-console -- the reason of what is skipped is its result
    console.log(`skipped: idle browsers in containers: ${dockerMissing}`);
  }
  const places = [
    await openLocal(stack),
    ...(dockerMissing === undefined ? [await openDocker(stack)] : []),
  ];
  const cases = places.flatMap((place) =>
    [true, false].map((headless) => ({ place, headless }))
  );
  const asked = await Promise.all(cases.map(async ({ place, headless }) => ({
    ...{ place: place.name, headless },
    requests: await createRequests(place, headless),
  })));
  const requests = [`GET ${SITE}`, `GET ${SITE}favicon.ico`];
  assert.deepEqual(
    asked,
    cases.map(({ place, headless }) => ({
      ...{ place: place.name, headless, requests },
    })),
  );
});
