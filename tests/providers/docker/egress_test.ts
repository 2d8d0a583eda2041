import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTcpServer, type Server } from "node:net";
import ipaddr from "ipaddr.js";
import type {
  BrowserSpec,
  EgressPolicy,
} from "../../../src/core/browser_spec.ts";
import type { RunningBrowser } from "../../../src/core/provider.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { cdpClient } from "../../support/cdp_client.ts";
import {
  docker,
  dockerTest,
  evaluate,
  testDockerHost,
} from "../../support/docker.ts";
import { within } from "../../support/within.ts";
import {
  type EgressGround,
  egressGround,
  PLACES,
  SITE_PAGE,
} from "../../support/egress_ground.ts";

/** What the project's image is made from: no browser, and nothing that limits a network. */
const BASE_IMAGE = "debian:bookworm-slim";

const NEVER = new AbortController().signal;

/** What a refused page says. */
const REJECTED =
  /Cannot connect to .*: it is .* egress of work pool "crawl <1>" is (no_private|none), expected an entry of the pool's egress_allow/;

/** A browser of a session with `egress` in a network of the ground. */
async function startIn(
  network: string,
  egress: Partial<EgressPolicy>,
  fields: Partial<BrowserSpec> = {},
): Promise<Session> {
  const test = await testDockerHost({ network });
  const policy = { mode: "no_private", allow: [], pool: "crawl <1>" } as const;
  const browser = await test.host.start(
    browserSpec({ ...fields, egress: { ...policy, ...egress } }),
    crypto.randomUUID(),
    NEVER,
  ).catch(async (error) => {
    await test[Symbol.asyncDispose]();
    throw error;
  });
  return {
    browser,
    containerId: browser.details.container_id ?? "",
    read: async (url) =>
      String(
        await evaluate(browser.endpoint, url, "document.body.innerText"),
      ),
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  };
}

/** A session's browser. Disposal ends it. */
interface Session extends AsyncDisposable {
  readonly browser: RunningBrowser;
  readonly containerId: string;
  /** What the page at `url` says. */
  read(url: string): Promise<string>;
}

/** Exit code of a shell script in the container, run by a user of it. */
async function runAs(
  user: string,
  id: string,
  script: string,
): Promise<number | null> {
  const exec = await docker.getContainer(id).exec({
    Cmd: ["sh", "-c", script],
    User: user,
    AttachStdout: true,
    AttachStderr: true,
  });
  const output = await exec.start({});
  output.resume();
  await new Promise((done) => output.on("close", done));
  return (await exec.inspect()).ExitCode;
}

/** A script that ends with 0 only if a connection to the address is made. */
function dials(kind: "TCP4" | "TCP6", address: string): string {
  return `timeout 3 socat -u OPEN:/dev/null ${kind}:${address},connect-timeout=2`;
}

/** A script that ends with 0 only if the engine's resolver answers. */
const RESOLVES = "timeout 3 getent hosts site.test";

/** The same in a namespace of its own, in which the user is root: that gives no power over the network. */
function asOwnRoot(script: string): string {
  return `unshare --user --map-root-user sh -c "nft flush ruleset; ${script}"`;
}

/** How the page at `url` ends in a context of its own with `proxyServer`. */
async function readInContext(
  { browser }: Session,
  proxyServer: string,
  url: string,
): Promise<string> {
  await using client = await cdpClient(browser.endpoint.href);
  const context = { proxyServer, proxyBypassList: "<-loopback>" };
  const { browserContextId } = await client.call(
    "Target.createBrowserContext",
    context,
  );
  const { targetId } = await client.call("Target.createTarget", {
    url: "about:blank",
    browserContextId,
  });
  const page = new URL(`/devtools/page/${targetId}`, browser.endpoint);
  await using session = await cdpClient(page.href);
  const { errorText } = await session.call("Page.navigate", { url });
  return errorText ?? String(
    await session.evaluate("document.body.innerText"),
  );
}

/** Programs of the browser's user, which know no proxy. */
function programs(hostPort: number): readonly string[] {
  const plain = [
    dials("TCP4", `${PLACES.site}:8081`),
    dials("TCP4", `${PLACES.gateway}:${hostPort}`),
    dials("TCP6", `[${PLACES.site6}]:8080`),
    RESOLVES,
  ];
  return [...plain, ...plain.map(asOwnRoot)];
}

async function assertKernelHolds(id: string, hostPort: number): Promise<void> {
  const scripts = [
    ...programs(hostPort),
    "nft flush ruleset",
    "nft list ruleset",
    "setpriv --reuid egress true",
  ];
  for (const script of scripts) {
    assert.notEqual(await runAs("browser", id, script), 0, script);
  }
}

async function checkNoPrivate(ground: EgressGround): Promise<void> {
  const allow = [`${PLACES.site}:8081`, "intranet.test:8082"];
  await using session = await startIn(ground.privateNetwork, { allow });
  const { hostPort } = ground;
  const rejected = [
    `http://${PLACES.gateway}:${hostPort}/`,
    `http://${PLACES.site}:8080/`,
    `http://[${PLACES.site6}]:8080/`,
    `http://[${PLACES.site6}]:8081/`,
    "http://site.test:8080/",
    "http://localhost:9223/json/version",
    "http://[::1]:9223/json/version",
    "http://2130706433:9223/json/version",
  ];
  for (const url of rejected) assert.match(await session.read(url), REJECTED);
  assert.equal(ground.hostRequests(), 0);
  for (
    const url of [
      `http://${PLACES.site}:8081/`,
      "http://intranet.test:8082/",
    ]
  ) {
    assert.equal(await session.read(url), SITE_PAGE, url);
  }
  for (
    const proxy of [
      "direct://",
      `http://${PLACES.site}:8081`,
      `socks5://${PLACES.gateway}:${hostPort}`,
    ]
  ) {
    const url = `http://${PLACES.gateway}:${hostPort}/`;
    assert.match(await readInContext(session, proxy, url), /^net::ERR_/, proxy);
  }
  assert.equal(
    await readInContext(
      session,
      "http://127.0.0.1:3128",
      `https://${PLACES.site}:8080/`,
    ),
    "net::ERR_TUNNEL_CONNECTION_FAILED",
  );
  await assertKernelHolds(session.containerId, hostPort);
  assert.equal(ground.hostRequests(), 0);
}

async function checkNone(ground: EgressGround): Promise<void> {
  await using session = await startIn(ground.publicNetwork, {
    mode: "none",
    allow: [`${PLACES.publicSite}:8081`],
  });
  const page = (port: number) => `http://${PLACES.publicSite}:${port}/`;
  assert.match(await session.read(page(8080)), /is none, expected an entry/);
  assert.equal(await session.read(page(8081)), SITE_PAGE);
}

async function checkPublic(ground: EgressGround): Promise<void> {
  await using session = await startIn(ground.publicNetwork, {});
  const site = `http://${PLACES.publicSite}:8080/`;
  assert.equal(await session.read(site), SITE_PAGE);
  // The host's own address is the grid's, whatever kind it is.
  const own = `http://${PLACES.publicGateway}:${ground.hostPort}/`;
  assert.match(await session.read(own), REJECTED);
  const direct = dials("TCP4", `${PLACES.publicSite}:8080`);
  assert.notEqual(await runAs("browser", session.containerId, direct), 0);
  // The request to end reaches the browser, which is another user's than the container's.
  await docker.getContainer(session.containerId).kill({ signal: "SIGTERM" });
  await within(session.browser.exited, {
    what: "the browser ends",
    ms: 10_000,
  });
  assert.equal(ground.hostRequests(), 0);
}

async function checkOpen(ground: EgressGround): Promise<void> {
  await using session = await startIn(ground.privateNetwork, { mode: "open" });
  assert.equal(await session.read("http://site.test:8080/"), SITE_PAGE);
  const url = `http://${PLACES.gateway}:${ground.hostPort}/`;
  assert.equal(await session.read(url), "HOST-SECRET");
  for (const script of programs(ground.hostPort)) {
    assert.equal(
      await runAs("browser", session.containerId, script),
      0,
      script,
    );
  }
  const { Config, HostConfig } = await docker.getContainer(session.containerId)
    .inspect();
  assert.deepEqual([Config.User, HostConfig.CapAdd ?? []], ["browser", []]);
}

/** What a page asked a proxy for: the target, and who asks. */
interface Asked {
  readonly target: string | undefined;
  readonly authorization: string | undefined;
}

/** An HTTP proxy on the host that answers every request itself. */
async function startProxy(
  asked: Asked[],
): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createServer(({ url, headers }, response) => {
    asked.push({ target: url, authorization: headers["proxy-authorization"] });
    response.end("BY-PROXY");
  }).listen(0, PLACES.gateway);
  await once(server, "listening");
  return {
    port: portOf(server),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A SOCKS5 proxy on the host that wants a password and answers every request itself. */
async function startSocks(
  asked: Asked[],
): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createTcpServer(async (socket) => {
    const next = async () => (await once(socket, "data"))[0] as Uint8Array;
    await next();
    socket.write(Uint8Array.of(5, 2));
    const login = new TextDecoder().decode(await next());
    socket.write(Uint8Array.of(1, 0));
    const request = await next();
    asked.push({
      target: request.slice(4, -2).join(),
      authorization: login.slice(1),
    });
    socket.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
    await next();
    socket.end("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nBY-SOCKS");
  }).listen(0, PLACES.gateway);
  await once(server, "listening");
  return {
    port: portOf(server),
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

async function checkProxies({ privateNetwork }: EgressGround): Promise<void> {
  const asked: Asked[] = [];
  await using http = await startProxy(asked);
  await using socks = await startSocks(asked);
  const through = (proxy_url: string, allow: readonly string[]) =>
    startIn(privateNetwork, { allow }, {
      proxy: { proxy_url, proxy_username: "me", proxy_password: "p:w" },
    });
  const at = `${PLACES.gateway}:${http.port}`;
  {
    await using session = await through(`http://${at}`, []);
    assert.match(await session.read("http://site.test/"), REJECTED);
    assert.equal(asked.length, 0, "the proxy's own address is private");
  }
  {
    const allow = [at, "intranet.test"];
    await using session = await through(`http://${at}`, allow);
    // A proxy of the private network is told an address that was checked.
    assert.equal(await session.read("http://intranet.test/a?b"), "BY-PROXY");
    for (const host of [PLACES.site, "site.test"]) {
      assert.match(await session.read(`http://${host}:8080/`), REJECTED);
    }
  }
  {
    const address = `${PLACES.gateway}:${socks.port}`;
    const allow = [address, "intranet.test"];
    await using session = await through(`socks5://${address}`, allow);
    assert.equal(await session.read("http://intranet.test/"), "BY-SOCKS");
  }
  const authorizations = (isMeant: (target: string) => boolean) =>
    new Set(
      asked.filter(({ target = "" }) => isMeant(target)).map((each) =>
        each.authorization
      ),
    );
  const hosts = [PLACES.site, `[${PLACES.site6}]`];
  const pages = hosts.map((host) => `http://${host}:80/a?b`);
  assert.deepEqual(
    authorizations((target) => pages.includes(target)),
    new Set([`Basic ${btoa("me:p:w")}`]),
  );
  const addresses = [PLACES.site, PLACES.site6].map((address) =>
    ipaddr.parse(address).toByteArray().join()
  );
  assert.deepEqual(
    authorizations((target) => addresses.includes(target)),
    new Set(["\u0002me\u0003p:w"]),
  );
}

dockerTest(
  "a session with a limited egress reaches what its pool allows and nothing else, by page, CDP or program",
  async () => {
    await using ground = await egressGround();
    await checkNoPrivate(ground);
    await checkNone(ground);
    await checkPublic(ground);
    await checkOpen(ground);
    await checkProxies(ground);
  },
);

dockerTest(
  "an image that cannot limit its network starts open sessions only, and check says so",
  async () => {
    await using test = await testDockerHost({ image: BASE_IMAGE });
    const egress = { mode: "no_private", allow: [], pool: "pool" } as const;
    await assert.rejects(
      test.host.start(browserSpec({ egress }), "one", NEVER),
      /Cannot start a browser in image ".*": the egress of work pool "pool" is no_private .*expected an image made by .*build-image/,
    );
    const checks = await test.host.check();
    const found = checks.find(({ name }) => name === "egress");
    assert.equal(found?.status, "warn");
    assert.match(found?.detail ?? "", /sessions of client keys fail to start/);
    await using own = await testDockerHost();
    assert.partialDeepStrictEqual(await own.host.check(), [
      { name: "egress", status: "ok" },
    ]);
  },
);

dockerTest(
  "a session without a limit of memory is given the pool's default one, without swap",
  async () => {
    for (const [config, expected] of [[{}, 4], [{ default_memory: "1G" }, 1]]) {
      await using test = await testDockerHost(Object(config));
      const { details } = await test.host.start(browserSpec(), "one", NEVER);
      const { HostConfig } = await docker.getContainer(
        details.container_id ?? "",
      ).inspect();
      const bytes = Number(expected) * 2 ** 30;
      assert.deepEqual(
        [HostConfig.Memory, HostConfig.MemorySwap],
        [bytes, bytes],
      );
    }
  },
);
