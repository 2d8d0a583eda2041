import assert from "node:assert/strict";
import type { SimpleDriver } from "../../../src/providers/kit/simple_driver.ts";
import { hostFromDriver } from "../../../src/providers/kit/host_from_driver.ts";
import type { BrowserExit } from "../../../src/core/provider.ts";
import { browserSpec } from "../../support/browser_spec.ts";

const NEVER = new AbortController().signal;

/** What answers CDP as far as a host asks: its version, and a request to close. */
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

/** A keeper of one session whose infrastructure is a list. */
function createDriver(
  address: string,
  given: Partial<SimpleDriver> = {},
): SimpleDriver & { readonly ended: readonly string[] } {
  const ended: string[] = [];
  return {
    ended,
    start: () => Promise.resolve(),
    find: () => Promise.resolve(address),
    list: () => Promise.resolve(["a", "b"]),
    end: (id) => Promise.resolve(void ended.push(id)),
    ...given,
  };
}

Deno.test("hostOf() asks a browser to close before it ends it, and not when there is no time", async () => {
  await using browser = fakeBrowser();
  const keeper = createDriver(browser.address);
  await using host = hostFromDriver(keeper);
  const patient = await host.start(browserSpec(), "a", NEVER);
  assert.equal(patient.details.browser_version, "Chrome/1.2.3");
  await patient.stop(5_000);
  assert.deepEqual(browser.asked, ["Browser.close"]);
  const hurried = await host.start(browserSpec(), "b", NEVER);
  await hurried.stop(0);
  assert.deepEqual(browser.asked, ["Browser.close"]);
  assert.deepEqual(keeper.ended, ["a", "b"]);
  assert.equal((await hurried.exited).reason, "stopped");
});

Deno.test("hostOf() looks for a browser until it has an address", async () => {
  await using browser = fakeBrowser();
  let looks = 0;
  const keeper = createDriver(browser.address, {
    find: () =>
      ++looks < 2
        ? Promise.reject(new Deno.errors.NotFound("no file yet"))
        : Promise.resolve(looks < 3 ? "http://127.0.0.1:NaN" : browser.address),
  });
  await using host = hostFromDriver(keeper);
  const running = await host.start(browserSpec(), "a", NEVER);
  assert.equal(running.endpoint.host, new URL(browser.address).host);
  await running.stop(0);
});

Deno.test("hostOf() says why a browser ended before it answered, and ends what it left", async () => {
  const exit: BrowserExit = { reason: "crashed", detail: "exit code 7" };
  const keeper = createDriver("", {
    start: () => Promise.resolve({ exited: Promise.resolve(exit) }),
  });
  await using host = hostFromDriver(keeper);
  await assert.rejects(
    host.start(browserSpec(), "a", NEVER),
    /the browser ended: exit code 7/,
  );
  assert.deepEqual(keeper.ended, ["a", "a"], "also what it left as it died");
});

Deno.test("hostOf() takes an end that cannot be told of as a crash", async () => {
  await using browser = fakeBrowser();
  const lost = Promise.withResolvers<BrowserExit>();
  const keeper = createDriver(browser.address, {
    start: () => Promise.resolve({ exited: lost.promise }),
  });
  await using host = hostFromDriver(keeper);
  const running = await host.start(browserSpec(), "a", NEVER);
  lost.reject(new Error("the connection broke"));
  assert.deepEqual(await running.exited, {
    reason: "crashed",
    detail: "the connection broke",
  });
  await running.stop(0);
});

Deno.test("hostOf() tries an end that fails again, and takes one that finds nothing as done", async () => {
  let tries = 0;
  const keeper = createDriver("", {
    end(id) {
      if (id === "b") throw new Deno.errors.NotFound("no such folder");
      return ++tries < 2
        ? Promise.reject(new Error("directory not empty"))
        : Promise.resolve();
    },
  });
  await using host = hostFromDriver(keeper);
  assert.deepEqual(await host.sweep(new Set()), ["a", "b"]);
  assert.equal(tries, 2);
  assert.deepEqual(await host.sweep(new Set(["a", "b"])), []);
});

Deno.test("hostOf() adopts what answers and leaves the rest to the sweep", async () => {
  await using browser = fakeBrowser();
  const keeper = createDriver("", {
    find: (id) =>
      id === "a"
        ? Promise.resolve(browser.address)
        : Promise.reject(new Error("gone")),
  });
  await using host = hostFromDriver(keeper);
  const adopted = await host.adopt();
  assert.deepEqual(adopted.map(({ sessionId }) => sessionId), ["a"]);
  await adopted[0]?.stop(0);
});
