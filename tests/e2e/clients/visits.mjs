// Visits of browsers, each held for half a second: all at once through the grid, and in turns with bare launches.
// Arguments: connect URL, path of the browser, visits through the grid, bare visits before and after them, how many of
// those at once, pairs of single visits before and after.
// Prints { served, refusals, rate, bare, before, after } as JSON: rates in visits a second, times in ms.
import { once } from "node:events";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import puppeteer from "puppeteer-core";
import WebSocket from "ws";

const [connectUrl, executablePath, ...counts] = process.argv.slice(2);
const [many, bare, turns, singles] = counts.map(Number);
const HOLD_MS = 500;
// Arguments of the grid's browsers in addition to Puppeteer's.
const args = ["--no-sandbox", "--disable-quic", "--disable-component-update"];

async function throughGrid(url = connectUrl) {
  const start = performance.now();
  const socket = new WebSocket(url);
  const opened = once(socket, "open");
  opened.catch(() => {});
  const refused = once(socket, "unexpected-response").then(
    async ([, answer]) => {
      throw new Error(`${answer.statusCode}: ${(await answer.toArray()).join("")}`);
    },
  );
  refused.catch(() => {});
  await Promise.race([opened, refused]);
  socket.send('{"id":1,"method":"Browser.getVersion"}');
  await once(socket, "message");
  const answered = performance.now() - start;
  await sleep(HOLD_MS);
  socket.close();
  await once(socket, "close");
  return answered;
}

async function launched() {
  const start = performance.now();
  const browser = await puppeteer.launch({
    executablePath,
    args,
    headless: true,
  });
  await browser.version();
  const answered = performance.now() - start;
  await sleep(HOLD_MS);
  await browser.close();
  return answered;
}

/** Returns the visits a second of `turns` clients at a time. */
async function measureRate(count, visit) {
  let left = count;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: turns }, async () => {
      while (left-- > 0) await visit();
    }),
  );
  return count / (performance.now() - start) * 1_000;
}

/** Returns the times to the first response of single visits, through the grid and bare in turn: [grid, bare][]. */
async function single() {
  const pairs = [];
  for (let index = 0; index < singles; index++) {
    pairs.push([await throughGrid(), await launched()]);
  }
  return pairs;
}

// The first of each reads its files from disk.
await launched();
await throughGrid();
const before = await single();
const bareBefore = await measureRate(bare, launched);
const start = performance.now();
const ends = await Promise.allSettled(
  Array.from(
    { length: many },
    () => throughGrid(`${connectUrl}?label=bench=visits`),
  ),
);
const seconds = (performance.now() - start) / 1_000;
const after = await single();
const bareAfter = await measureRate(bare, launched);
const served = ends.filter(({ status }) => status === "fulfilled").length;
process.stdout.write(JSON.stringify({
  before,
  after,
  bare: [bareBefore, bareAfter],
  served,
  rate: served / seconds,
  refusals: ends.flatMap(({ reason }) => reason ? [reason.message] : []),
}));
