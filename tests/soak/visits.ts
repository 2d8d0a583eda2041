import assert from "node:assert/strict";
import type { GridClient } from "../../src/client/client.ts";
import { systemClock } from "../../src/async/clock.ts";
import { askUpgrade, rawClient } from "../support/raw_client.ts";
import { CdpClient } from "./cdp_client.ts";

const WAIT_SECONDS = 120;
const PAGE =
  "data:text/html,<title>soak</title><canvas></canvas><script>document.querySelector('canvas').getContext('2d').fillRect(0,0,9,9)</script>";
const TITLE =
  "new Promise((done) => document.readyState === 'complete' ? done(document.title) : addEventListener('load', () => done(document.title)))";

/** Target of a visit. */
export interface Goal {
  readonly client: GridClient;
  /** Name of the pool. */
  readonly pool: string;
}

/** One visit of a browser from its request to its end. */
export type Visit = (goal: Goal) => Promise<void>;

/** The kinds of visits, each of which ends in its own way. */
export const VISITS: Readonly<Record<string, Visit>> = {
  "connect, work, close": async (goal) => {
    await using browser = await CdpClient.connect(connectUrl(goal));
    await work(browser);
  },
  "connect, work, close the browser": async (goal) => {
    await using browser = await CdpClient.connect(connectUrl(goal));
    await work(browser);
    // It may be gone before it has answered.
    await browser.call("Browser.close").catch(() => {});
  },
  "create, work, close, delete": async (goal) => {
    const { id, connect_url } = await create(goal);
    await workAt(connect_url);
    await goal.client.stopSession(id);
  },
  "create, work, connect again, delete under it by force": async (goal) => {
    const { id, connect_url } = await create(goal);
    await workAt(connect_url);
    await using browser = await CdpClient.connect(connect_url);
    await browser.call("Browser.getVersion");
    await goal.client.stopSession(id, { force: true });
  },
  "connect, drop the socket": async (goal) => {
    using dropped = await rawClient(connectUrl(goal));
    assert.match(dropped.head, /^HTTP\/1.1 101 /);
    await systemClock.sleep(Math.random() * 500);
  },
  "drop the socket before there is a browser": async (goal) => {
    const socket = await askUpgrade(connectUrl(goal));
    await systemClock.sleep(Math.random() * 1_000);
    socket.destroy();
  },
};

function connectUrl({ client, pool }: Goal): string {
  const url = client.apiUrl.replace("http", "ws");
  return `${url}/v1/connect?work_pool_id=${pool}`;
}

/** A session that runs. */
async function create({ client, pool }: Goal) {
  const session = await client.createSession({ work_pool_id: pool }, {
    waitSeconds: WAIT_SECONDS,
  });
  assert.equal(session.status, "running", session.status_reason ?? "");
  return session;
}

async function workAt(url: string): Promise<void> {
  await using browser = await CdpClient.connect(url);
  await work(browser);
}

/** Opens a page, asks it something and takes a picture of it. */
async function work(browser: CdpClient): Promise<void> {
  const { targetId } = await browser.call("Target.createTarget", {
    url: "about:blank",
  });
  const { sessionId } = await browser.call("Target.attachToTarget", {
    targetId,
    flatten: true,
  });
  const page = String(sessionId);
  await browser.call("Page.navigate", { url: PAGE }, page);
  const { result } = await browser.call("Runtime.evaluate", {
    expression: TITLE,
    awaitPromise: true,
  }, page);
  assert.deepEqual(result, { type: "string", value: "soak" });
  const { data } = await browser.call("Page.captureScreenshot", {
    format: "jpeg",
  }, page);
  assert.ok(String(data).length > 1_000);
}
