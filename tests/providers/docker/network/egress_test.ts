import assert from "node:assert/strict";
import { browserSpec } from "../../../support/browser_spec.ts";
import { cdpClient } from "../../../support/cdp_client.ts";
import {
  docker,
  dockerTest,
  TEST_IMAGE,
  testDockerHost,
} from "../../../support/docker.ts";
import {
  REJECTED,
  type Session,
  startIn,
} from "../../../support/egress_session.ts";
import { eventually } from "../../../support/eventually.ts";
import { within } from "../../../support/within.ts";
import {
  ADDRESSES,
  createEgressNetworks,
  type EgressNetworks,
  SITE_PAGE,
} from "../../../support/egress_networks.ts";

/** A base image without a browser and without tools to limit a network. */
const BASE_IMAGE = "debian:bookworm-slim";

const NEVER = new AbortController().signal;

/** Returns the exit code of a shell script in the container, run by one of its users. */
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

/** Returns a script that exits with 0 only if it can connect to the address. */
function dials(kind: "TCP4" | "TCP6", address: string): string {
  return `timeout 3 socat -u OPEN:/dev/null ${kind}:${address},connect-timeout=2`;
}

/** A script that exits with 0 only if the engine's resolver responds. */
const RESOLVES = "timeout 3 getent hosts site.test";

/** Runs the script as root of a separate user namespace, which has no power over the network. */
function asOwnRoot(script: string): string {
  return `unshare --user --map-root-user sh -c "nft flush ruleset; ${script}"`;
}

/** Returns the result of the page at `url` in a browser context with `proxyServer`. */
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

/** Returns programs of the browser's user that do not use a proxy. */
function programs(hostPort: number): readonly string[] {
  const plain = [
    dials("TCP4", `${ADDRESSES.site}:8081`),
    dials("TCP4", `${ADDRESSES.gateway}:${hostPort}`),
    dials("TCP6", `[${ADDRESSES.site6}]:8080`),
    RESOLVES,
  ];
  return [...plain, ...plain.map(asOwnRoot)];
}

/** Resolves when WebRTC has sent a STUN request to the host's service, over UDP. */
function gathers(hostPort: number): string {
  const server = `stun:${ADDRESSES.gateway}:${hostPort}`;
  return `new Promise((resolve) => {
    const peer = new RTCPeerConnection({ iceServers: [{ urls: "${server}" }] });
    peer.createDataChannel("x");
    peer.onicecandidate = ({ candidate }) => candidate || resolve(true);
    setTimeout(resolve, 3000, true);
    peer.createOffer().then((offer) => peer.setLocalDescription(offer));
  })`;
}

/** Makes a page on the site use WebRTC. */
async function useWebRtc(
  { browser }: Session,
  site: string,
  hostPort: number,
): Promise<void> {
  const opened = await fetch(
    `http://${browser.endpoint.host}/json/new?${site}`,
    {
      method: "PUT",
    },
  );
  const { webSocketDebuggerUrl } = await opened.json();
  await using page = await cdpClient(webSocketDebuggerUrl);
  // The navigation ends the scripts of the first, empty document.
  await eventually("the page is there", async () => {
    const isThere =
      'location.href !== "about:blank" && document.readyState === "complete"';
    return await page.evaluate(isThere).catch(() => undefined);
  });
  await page.evaluate(gathers(hostPort));
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

async function checkNoPrivate(networks: EgressNetworks): Promise<void> {
  const allow = [`${ADDRESSES.site}:8081`, "intranet.test:8082"];
  await using session = await startIn(networks.privateNetwork, { allow });
  const { hostPort } = networks;
  const rejected = [
    `http://${ADDRESSES.gateway}:${hostPort}/`,
    `http://${ADDRESSES.site}:8080/`,
    `http://[${ADDRESSES.site6}]:8080/`,
    `http://[${ADDRESSES.site6}]:8081/`,
    "http://site.test:8080/",
    "http://localhost:9223/json/version",
    "http://[::1]:9223/json/version",
    "http://2130706433:9223/json/version",
  ];
  for (const url of rejected) assert.match(await session.read(url), REJECTED);
  assert.equal(networks.hostRequests(), 0);
  for (
    const url of [
      `http://${ADDRESSES.site}:8081/`,
      "http://intranet.test:8082/",
    ]
  ) {
    assert.equal(await session.read(url), SITE_PAGE, url);
  }
  for (
    const proxy of [
      "direct://",
      `http://${ADDRESSES.site}:8081`,
      `socks5://${ADDRESSES.gateway}:${hostPort}`,
    ]
  ) {
    const url = `http://${ADDRESSES.gateway}:${hostPort}/`;
    assert.match(await readInContext(session, proxy, url), /^net::ERR_/, proxy);
  }
  assert.equal(
    await readInContext(
      session,
      "http://127.0.0.1:3128",
      `https://${ADDRESSES.site}:8080/`,
    ),
    "net::ERR_TUNNEL_CONNECTION_FAILED",
  );
  await assertKernelHolds(session.containerId, hostPort);
  await useWebRtc(session, `http://${ADDRESSES.site}:8081/`, hostPort);
  assert.equal(networks.hostRequests(), 0);
}

async function checkNone(networks: EgressNetworks): Promise<void> {
  await using session = await startIn(networks.publicNetwork, {
    mode: "none",
    allow: [`${ADDRESSES.publicSite}:8081`],
  });
  const page = (port: number) => `http://${ADDRESSES.publicSite}:${port}/`;
  assert.match(await session.read(page(8080)), /is none, expected an entry/);
  assert.equal(await session.read(page(8081)), SITE_PAGE);
}

async function checkPublic(networks: EgressNetworks): Promise<void> {
  await using session = await startIn(networks.publicNetwork, {});
  const site = `http://${ADDRESSES.publicSite}:8080/`;
  assert.equal(await session.read(site), SITE_PAGE);
  // The host's own address belongs to the grid, whatever its range.
  const own = `http://${ADDRESSES.publicGateway}:${networks.hostPort}/`;
  assert.match(await session.read(own), REJECTED);
  const direct = dials("TCP4", `${ADDRESSES.publicSite}:8080`);
  assert.notEqual(await runAs("browser", session.containerId, direct), 0);
  // The request to close reaches the browser, which runs as another user than the container.
  await docker.getContainer(session.containerId).kill({ signal: "SIGTERM" });
  await within(session.browser.exited, {
    what: "the browser ends",
    ms: 10_000,
  });
  assert.equal(networks.hostRequests(), 0);
}

async function checkOpen(networks: EgressNetworks): Promise<void> {
  await using session = await startIn(networks.privateNetwork, {
    mode: "open",
  });
  assert.equal(await session.read("http://site.test:8080/"), SITE_PAGE);
  const url = `http://${ADDRESSES.gateway}:${networks.hostPort}/`;
  assert.equal(await session.read(url), "HOST-SECRET");
  const before = networks.hostRequests();
  await useWebRtc(session, "http://site.test:8080/", networks.hostPort);
  assert.ok(networks.hostRequests() > before, "WebRTC reaches the service");
  for (const script of programs(networks.hostPort)) {
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

dockerTest(
  "a session with limited egress reaches only what its pool allows, by page, CDP or program",
  async () => {
    await using networks = await createEgressNetworks();
    await checkNoPrivate(networks);
    await checkNone(networks);
    await checkPublic(networks);
    await checkOpen(networks);
  },
);

dockerTest(
  "an image that cannot enforce egress, and the host's network, only start open sessions, and check reports it",
  async () => {
    await using test = await testDockerHost({ image: BASE_IMAGE });
    const egress = { mode: "no_private", allow: [], pool: "pool" } as const;
    await assert.rejects(
      test.host.start(browserSpec({ egress }), "one", NEVER),
      /Cannot start a browser in image ".*": the egress of work pool "pool" is no_private .*expected an image built by .*build-image/,
    );
    const checks = await test.host.check();
    const found = checks.find(({ name }) => name === "egress");
    assert.equal(found?.status, "warn");
    assert.match(found?.detail ?? "", /sessions of client keys do not start/);
    await using shared = await testDockerHost({ network: "host" });
    await assert.rejects(
      shared.host.start(browserSpec({ egress }), "one", NEVER),
      /Cannot start a browser in network "host": .* rules would apply to the host/,
    );
    assert.partialDeepStrictEqual(await shared.host.check(), [
      { name: "egress", status: "warn" },
    ]);
    await using own = await testDockerHost();
    assert.partialDeepStrictEqual(await own.host.check(), [
      { name: "egress", status: "ok" },
    ]);
  },
);

dockerTest(
  "a session without a memory limit gets the pool's default, without swap",
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

dockerTest(
  "a container whose network cannot be limited ends instead of starting a browser",
  async () => {
    const CapDrop = ["ALL"];
    const rules = /does not take the rules/;
    const unable = [
      [{ User: "root", HostConfig: { CapDrop } }, rules],
      [{ User: "browser", HostConfig: { CapDrop } }, rules],
      // Drops the required capability, in case the image tries.
      [
        { User: "root", HostConfig: { CapDrop, NetworkMode: "host" } },
        /it has the network of its host/,
      ],
    ] as const;
    for (const [options, expected] of unable) {
      const container = await docker.createContainer({
        Image: TEST_IMAGE,
        Env: ["BROWSERGRID_EGRESS=none", "BROWSERGRID_EGRESS_DENY=0.0.0.0/0"],
        Cmd: ["about:blank"],
        User: options.User,
        HostConfig: { ...options.HostConfig, CapDrop },
      });
      await container.start();
      const { StatusCode } = await container.wait();
      assert.equal(StatusCode, 78, JSON.stringify(options));
      const logs = await container.logs({ stderr: true });
      assert.match(logs.toString(), expected);
      await container.remove();
    }
  },
);
