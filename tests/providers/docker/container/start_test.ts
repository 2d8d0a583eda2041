import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { docker as dockerProvider } from "../../../../src/providers/docker/provider.ts";
import { browserSpec } from "../../../support/browser_spec.ts";
import {
  docker,
  dockerTest,
  evaluate,
  runInContainer,
  TEST_IMAGE,
  testDockerHost,
} from "../../../support/docker.ts";
import { startEngineProxy } from "../../../support/engine_proxy.ts";

const NEVER = new AbortController().signal;
const SECRET = "planted-secret-7";

/** First byte that a client sends through a tunnel to an https site. */
const TLS_HANDSHAKE = 0x16;

/** Returns the command lines of all processes of a container. */
async function commandLines(id: string): Promise<string> {
  const top = await docker.getContainer(id).top({ ps_args: "-eo pid,args" });
  return top.Processes.join("\n");
}

dockerTest(
  "start() sets the requested limits, and the labels of the session",
  async () => {
    await using test = await testDockerHost({
      shm_size: "256M",
      pids_limit: 900,
    });
    const spec = browserSpec({
      browser: "chrome",
      headless: false,
      cpu: 1,
      memoryBytes: 2 * 2 ** 30,
    });
    const browser = await test.host.start(spec, "session-1", NEVER);
    const { Config, HostConfig } = await docker.getContainer(
      browser.details.container_id ?? "",
    ).inspect();
    assert.equal(HostConfig.NanoCpus, 1e9);
    assert.equal(HostConfig.Memory, 2 * 2 ** 30);
    assert.equal(HostConfig.MemorySwap, 2 * 2 ** 30);
    assert.equal(HostConfig.ShmSize, 256 * 2 ** 20);
    assert.equal(HostConfig.PidsLimit, 900);
    assert.deepEqual(HostConfig.CapDrop, ["ALL"]);
    assert.ok(HostConfig.SecurityOpt.includes("no-new-privileges"));
    assert.equal(Config.User, "browser");
    assert.equal(Config.Labels["browsergrid.session_id"], "session-1");
    assert.equal(Config.Labels["browsergrid.grid_id"], test.gridId);
    assert.equal(Config.Labels["browsergrid.worker_id"], "worker-1");
    await browser.stop(2_000);
  },
);

dockerTest(
  "revision() is the id of the local image, and empty if there is none",
  async () => {
    await using test = await testDockerHost();
    await using none = await testDockerHost({
      image: "browsergrid/none:{version}",
    });
    const { Id } = await docker.getImage(TEST_IMAGE).inspect();
    assert.equal(await test.host.revision?.(browserSpec(), NEVER), Id);
    assert.equal(await none.host.revision?.(browserSpec(), NEVER), "");
  },
);

dockerTest(
  "start() separates a session from the browsers of others",
  async () => {
    await using test = await testDockerHost();
    const [one, other] = await Promise.all([
      test.host.start(browserSpec(), "one", NEVER),
      test.host.start(browserSpec(), "other", NEVER),
    ]);
    const connectTo = ({ host }: URL) =>
      runInContainer(
        one.details.container_id ?? "",
        "socat",
        "/dev/null",
        `TCP:${host},connect-timeout=1`,
      );
    assert.equal(await connectTo(one.endpoint), 0);
    assert.notEqual(await connectTo(other.endpoint), 0);
    await Promise.all([one.stop(2_000), other.stop(2_000)]);
  },
);

dockerTest(
  "start() of a headful browser shows pages on a screen of the requested size",
  async () => {
    await using test = await testDockerHost();
    const spec = browserSpec({ headless: false });
    const browser = await test.host.start(spec, "s", NEVER);
    assert.match(
      await commandLines(browser.details.container_id ?? ""),
      /Xvfb :99 -screen 0 1000x600x24/,
    );
    const page = await evaluate(
      browser.endpoint,
      "data:text/html,hello",
      "[screen.width, screen.height, navigator.userAgent.includes('Headless')]",
    );
    assert.deepEqual(page, [1000, 600, false]);
    await browser.stop(2_000);
  },
);

dockerTest(
  "start() puts secrets only into the container's environment",
  async () => {
    await using engine = await startEngineProxy();
    await using test = await testDockerHost({ docker_host: engine.dockerHost });
    const spec = browserSpec({
      environment: { TOKEN: SECRET },
      proxy: {
        proxy_url: "http://127.0.0.1:9",
        proxy_username: "user",
        proxy_password: SECRET,
      },
    });
    const browser = await test.host.start(spec, "s", NEVER);
    const id = browser.details.container_id ?? "";
    const { Config: { Env, ...config }, ...info } = await docker.getContainer(
      id,
    )
      .inspect();
    assert.ok(Env.includes(`TOKEN=${SECRET}`));
    const shown = [
      JSON.stringify([config, info, browser.details]),
      await commandLines(id),
      await browser.logs?.(1_000) ?? "",
      await dockerProvider.deployCommand(
        spec,
        dockerProvider.configSchema.parse({}),
      ),
      // Engines and proxies log the URLs of requests.
      ...engine.requests.map(decodeURIComponent),
    ].join("\n");
    assert.ok(!shown.includes(SECRET));
    assert.ok(!shown.includes(btoa(`user:${SECRET}`)));
    await browser.stop(2_000);
  },
);

dockerTest(
  "start() makes the browser use a proxy that requires a password",
  async () => {
    await using test = await testDockerHost();
    const asked: (string | undefined)[] = [];
    const proxy = createServer((request, response) => {
      asked.push(request.headers["proxy-authorization"]);
      response.end(`<p>through the proxy: ${request.url}</p>`);
    });
    const tunnelled = Promise.withResolvers<number | undefined>();
    proxy.on("connect", (request, socket) => {
      asked.push(request.headers["proxy-authorization"]);
      // The browser may close the connection first.
      socket.on("error", () => socket.destroy());
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.once("data", (data: Uint8Array) => {
        tunnelled.resolve(data[0]);
        socket.destroy();
      });
    });
    await new Promise<void>((done) => proxy.listen(0, "0.0.0.0", done));
    // AddressInfo because it listens on a port, not on a socket file.
    const { port } = proxy.address() as AddressInfo;
    const network = await docker.getNetwork("browsergrid").inspect();
    const spec = browserSpec({
      proxy: {
        proxy_url: `http://${network.IPAM?.Config?.[0]?.Gateway}:${port}`,
        proxy_username: "user",
        proxy_password: "p@ss:wörd",
      },
    });
    const browser = await test.host.start(spec, "s", NEVER);
    const text = await evaluate(
      browser.endpoint,
      "http://site.invalid/page",
      "document.body.innerText",
    );
    assert.equal(text, "through the proxy: http://site.invalid/page");
    const opened = await fetch(
      `http://${browser.endpoint.host}/json/new?https://site.invalid/`,
      { method: "PUT" },
    );
    await opened.body?.cancel();
    assert.equal(await tunnelled.promise, TLS_HANDSHAKE);
    const credentials = new TextEncoder().encode("user:p@ss:wörd").toBase64();
    assert.deepEqual([...new Set(asked)], [`Basic ${credentials}`]);
    await browser.stop(2_000);
    proxy.closeAllConnections();
    await new Promise((done) => proxy.close(done));
  },
);

dockerTest(
  "start() rejects a password for a proxy that is not http",
  async () => {
    await using test = await testDockerHost();
    const spec = browserSpec({
      proxy: { proxy_url: "socks5://127.0.0.1:9", proxy_username: "user" },
    });
    await assert.rejects(
      test.host.start(spec, "s", NEVER),
      /docker pools send credentials to http:\/\/ proxies only/,
    );
  },
);

for (const seccomp of ["browser", "engine"]) {
  dockerTest(
    `check() tells the truth about Chromium's sandbox with seccomp ${seccomp}`,
    async () => {
      await using test = await testDockerHost({ seccomp });
      const checks = await test.host.check();
      const says = checks.find(({ name }) => name === "sandbox");
      const browser = await test.host.start(browserSpec(), "s", NEVER);
      const page = await evaluate(
        browser.endpoint,
        "chrome://sandbox",
        "document.body.innerText",
      );
      const isSandboxed = /You are adequately sandboxed/.test(String(page));
      assert.equal(isSandboxed, says?.status === "ok", `${page}`);
      assert.equal(isSandboxed, / sandbox is on$/.test(says?.detail ?? ""));
      await browser.stop(2_000);
    },
  );
}

dockerTest(
  "start() with a published port returns an endpoint that responds",
  async () => {
    await using test = await testDockerHost({ reach: "port" });
    const browser = await test.host.start(browserSpec(), "s", NEVER);
    assert.equal(browser.endpoint.hostname, "127.0.0.1");
    const value = await evaluate(browser.endpoint, "data:text/html,x", "6 * 7");
    assert.equal(value, 42);
    await browser.stop(2_000);
  },
);
