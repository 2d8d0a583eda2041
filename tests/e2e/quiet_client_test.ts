import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { systemClock } from "../../src/async/clock.ts";
import { nginxMissing, startNginx } from "../support/nginx.ts";
import { within } from "../support/within.ts";
import { browserGrid } from "./browser_grid.ts";

/** Half of nginx's default, and longer than the grid's own pause between pings of 20 s. */
const READ_TIMEOUT_SECONDS = 30;

/** Idle time of the clients. */
const QUIET_MS = 45_000;

const WAIT_MS = 15_000;

/** Connects a client that responds to pings. */
async function connected(url: string, userAgent: string): Promise<WebSocket> {
  const headers = { "User-Agent": userAgent };
  const socket = new WebSocket(url.replace("http", "ws"), { headers });
  await within(once(socket, "open"), { what: "it is connected", ms: WAIT_MS });
  return socket;
}

if (nginxMissing !== undefined) {
  // deno-lint-ignore no-console -- the reason of a skipped test is its result
  console.log(`skipped: quiet clients behind nginx: ${nginxMissing}`);
}

Deno.test({
  name:
    "with default settings a client that is idle for 45 s stays connected behind an nginx with a timeout of 30 s; one that is not pinged is cut",
  ignore: nginxMissing !== undefined,
  async fn() {
    await using grid = await browserGrid("local");
    const { id, connect_url } = await grid.client.createSession(
      { max_connections: 2 },
      { waitSeconds: 60 },
    );
    const { origin } = new URL(connect_url.replace("ws", "http"));
    const options = { readTimeoutSeconds: READ_TIMEOUT_SECONDS };
    await using nginx = await startNginx(origin, options);
    const url = `${nginx.url}/v1/sessions/${id}/cdp`;
    // A program of Go's standard library, which the grid does not ping.
    const unpinged = await connected(url, "Go-http-client/1.1");
    const cut = once(unpinged, "close");
    const quiet = await connected(url, "test");
    let pings = 0;
    quiet.on("ping", () => pings++);
    await systemClock.sleep(QUIET_MS);
    assert.equal(unpinged.readyState, WebSocket.CLOSED);
    assert.deepEqual((await cut)[0], 1006);
    assert.equal(quiet.readyState, WebSocket.OPEN);
    assert.equal(pings, 2);
    const answered = once(quiet, "message");
    quiet.send(JSON.stringify({ id: 1, method: "Browser.getVersion" }));
    const [answer] = await within(answered, { what: "an answer", ms: WAIT_MS });
    assert.match(String(answer), /"product":"[^"]*Chrome/);
    quiet.terminate();
  },
});
