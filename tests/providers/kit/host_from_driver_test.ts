import assert from "node:assert/strict";
import type { SimpleDriver } from "../../../src/providers/kit/simple_driver.ts";
import { hostFromDriver } from "../../../src/providers/kit/host_from_driver.ts";
import type { BrowserExit } from "../../../src/core/provider.ts";
import { browserSpec } from "../../support/browser_spec.ts";

const NEVER = new AbortController().signal;

/** A server that responds to the CDP requests of a host: the version, and the request to close. */
function fakeBrowser(): AsyncDisposable & {
  readonly address: string;
  readonly asked: readonly string[];
} {
  const asked: string[] = [];
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => {
      if (request.headers.get("upgrade") === "websocket") {
        const { socket, response } = Deno.upgradeWebSocket(request);
        socket.onmessage = ({ data }) => {
          asked.push(JSON.parse(data).method);
          socket.close();
        };
        return response;
      }
      return Response.json({
        Browser: "Chrome/1.2.3",
        webSocketDebuggerUrl: "ws://127.0.0.1/devtools/browser/1",
      });
    },
  );
  return {
    address: `http://127.0.0.1:${server.addr.port}`,
    asked,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A driver that records the sessions it ends. */
function createDriver(
  address: string,
  overrides: Partial<SimpleDriver> = {},
): SimpleDriver & { readonly ended: readonly string[] } {
  const ended: string[] = [];
  return {
    ended,
    start: () => Promise.resolve(),
    find: () => Promise.resolve(address),
    list: () => Promise.resolve(["a", "b"]),
    end: (id) => Promise.resolve(void ended.push(id)),
    ...overrides,
  };
}

Deno.test("hostFromDriver() asks a browser to close before ending it, and does not without a grace period", async () => {
  await using browser = fakeBrowser();
  const driver = createDriver(browser.address);
  await using host = hostFromDriver(driver);
  const patient = await host.start(browserSpec(), "a", NEVER);
  assert.equal(patient.details.browser_version, "Chrome/1.2.3");
  await patient.stop(5_000);
  assert.deepEqual(browser.asked, ["Browser.close"]);
  const hurried = await host.start(browserSpec(), "b", NEVER);
  await hurried.stop(0);
  assert.deepEqual(browser.asked, ["Browser.close"]);
  assert.deepEqual(driver.ended, ["a", "b"]);
  assert.equal((await hurried.exited).reason, "stopped");
});

Deno.test("hostFromDriver() requests the address of a browser until it has one", async () => {
  await using browser = fakeBrowser();
  let looks = 0;
  const driver = createDriver(browser.address, {
    find: () =>
      ++looks < 2
        ? Promise.reject(new Deno.errors.NotFound("no file yet"))
        : Promise.resolve(looks < 3 ? "http://127.0.0.1:NaN" : browser.address),
  });
  await using host = hostFromDriver(driver);
  const running = await host.start(browserSpec(), "a", NEVER);
  assert.equal(running.endpoint.host, new URL(browser.address).host);
  await running.stop(0);
});

Deno.test("hostFromDriver() reports why a browser ended before its first response, and removes the rest of it", async () => {
  const exit: BrowserExit = { reason: "crashed", detail: "exit code 7" };
  const driver = createDriver("", {
    start: () => Promise.resolve({ exited: Promise.resolve(exit) }),
  });
  await using host = hostFromDriver(driver);
  await assert.rejects(
    host.start(browserSpec(), "a", NEVER),
    /the browser ended: exit code 7/,
  );
  assert.deepEqual(driver.ended, ["a", "a"], "again after its exit");
});

Deno.test("hostFromDriver() treats a failed exit report as a crash", async () => {
  await using browser = fakeBrowser();
  const lost = Promise.withResolvers<BrowserExit>();
  const driver = createDriver(browser.address, {
    start: () => Promise.resolve({ exited: lost.promise }),
  });
  await using host = hostFromDriver(driver);
  const running = await host.start(browserSpec(), "a", NEVER);
  lost.reject(new Error("the connection broke"));
  assert.deepEqual(await running.exited, {
    reason: "crashed",
    detail: "the connection broke",
  });
  await running.stop(0);
});

Deno.test("hostFromDriver() retries a failed end, and treats NotFound as success", async () => {
  let tries = 0;
  const driver = createDriver("", {
    end(id) {
      if (id === "b") throw new Deno.errors.NotFound("no such folder");
      return ++tries < 2
        ? Promise.reject(new Error("directory not empty"))
        : Promise.resolve();
    },
  });
  await using host = hostFromDriver(driver);
  assert.deepEqual(await host.sweep(new Set()), ["a", "b"]);
  assert.equal(tries, 2);
  assert.deepEqual(await host.sweep(new Set(["a", "b"])), []);
});

Deno.test("hostFromDriver() adopts the browsers that respond and leaves the others to the sweep", async () => {
  await using browser = fakeBrowser();
  const driver = createDriver("", {
    find: (id) =>
      id === "a"
        ? Promise.resolve(browser.address)
        : Promise.reject(new Error("gone")),
  });
  await using host = hostFromDriver(driver);
  const adopted = await host.adopt();
  assert.deepEqual(adopted.map(({ sessionId }) => sessionId), ["a"]);
  await adopted[0]?.stop(0);
});
