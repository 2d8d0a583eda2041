// Cycles of a pool with warm browsers: create a session, connect, open a page, release. One alone, then several at once,
// beside pages at once of one browser that runs, and of as many browsers as there are clients, without the grid. Then
// creates one after the other, as long as the pool has a browser ready.
// Arguments: URL of the server, name of the pool, endpoints of bare browsers separated by commas, single cycles, rounds of
// those at once, rounds of creates, creates in each. Prints as JSON: { alone, grid, bare, floor, creates, cold }; lists of
// milliseconds, and the number of sessions that did not receive a warm browser.
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import puppeteer from "puppeteer-core";

const [serverUrl, pool, endpoints, ...counts] = process.argv.slice(2);
const [singles, roundsAtOnce, roundsOfCreates, creates] = counts.map(Number);
const browsers = endpoints.split(",");
let cold = 0;

async function call(method, path, body) {
  const response = await fetch(`${serverUrl}/v1${path}`, {
    method,
    ...body && {
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    },
  });
  if (!response.ok) throw new Error(await response.text());
  return await response.json();
}

async function createSession() {
  const session = await call("POST", "/sessions?wait=30", {
    work_pool_id: pool,
  });
  if (!session.warm) cold++;
  return session;
}

async function openPage(browser) {
  const page = await browser.newPage();
  await page.evaluate("1");
  return page;
}

async function cycle() {
  const session = await createSession();
  const browserWSEndpoint = session.connect_url;
  const browser = await puppeteer.connect({ browserWSEndpoint });
  await openPage(browser);
  await call("DELETE", `/sessions/${session.id}`);
  await browser.disconnect();
}

async function visitBare(browserWSEndpoint) {
  const browser = await puppeteer.connect({ browserWSEndpoint });
  const page = await openPage(browser);
  await page.close();
  await browser.disconnect();
}

async function timed(act) {
  const start = performance.now();
  await act();
  return performance.now() - start;
}

/** Waits until `count` browsers are ready, no session runs, and whatever that has set going is done. */
async function ready(count) {
  for (let tries = 0; tries < 2_400; tries++) {
    const { ready, running } = await call(
      "GET",
      `/workerpool/pools/${pool}/pressure`,
    );
    if (ready >= count && running === 0) return await sleep(500);
    await sleep(50);
  }
  throw new Error(`The pool does not have ${count} browsers ready`);
}

const result = { alone: [], grid: [], bare: [], floor: [], creates: [] };
const [running] = browsers;
const shared = await puppeteer.connect({ browserWSEndpoint: running });
// The first of each finds nothing in the caches.
await ready(creates);
await cycle();
await Promise.all(browsers.map(visitBare));
cold = 0;
for (let index = 0; index < singles; index++) {
  // With fewer, the others would be starting beside the cycle.
  await ready(creates);
  result.alone.push(await timed(cycle));
}
for (let round = 0; round < roundsAtOnce; round++) {
  await ready(browsers.length);
  result.bare.push(
    await timed(() =>
      Promise.all(browsers.map(async () => {
        const page = await openPage(shared);
        await page.close();
      }))
    ),
  );
  result.floor.push(await timed(() => Promise.all(browsers.map(visitBare))));
  result.grid.push(await timed(() => Promise.all(browsers.map(cycle))));
}
await shared.disconnect();
for (let round = 0; round < roundsOfCreates; round++) {
  await ready(creates);
  const ids = [];
  for (let index = 0; index < creates; index++) {
    result.creates.push(
      await timed(async () => ids.push((await createSession()).id)),
    );
  }
  await Promise.all(ids.map((id) => call("DELETE", `/sessions/${id}?force=true`)));
}
process.stdout.write(JSON.stringify({ ...result, cold }));
