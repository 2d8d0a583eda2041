// Times puppeteer.launch(), connects through the grid, and bare starts of the grid's command line in turn, from nothing
// to the browser's version and to a page: one alone, then several at once until the last one has its page.
// Arguments: connect URL, path of the browser, the grid's command as JSON, rounds alone, number at once, rounds of
// those. Prints as JSON { launch, connect, bare, launchPage, connectPage, barePage, launchMany, connectMany }, each a list
// of milliseconds.
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import puppeteer from "puppeteer-core";

const [connectUrl, executablePath, command, ...counts] = process.argv.slice(2);
const [rounds, many, roundsOfMany] = counts.map(Number);

/** Time in which the processes of a closed browser end, which would otherwise take time of the next start. */
const SETTLE_MS = 500;

/** Interval at which the output of a bare start is read. */
const POLL_MS = 4;
const args = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const launch = () => puppeteer.launch({ executablePath, args, headless: true });
const connect = () => puppeteer.connect({ browserWSEndpoint: connectUrl });

/** Starts the grid's command line without a grid. */
async function bare() {
  const folder = mkdtempSync(join(tmpdir(), "browsergrid-bench-"));
  const output = join(folder, "output");
  const file = openSync(output, "a");
  const [program, ...flags] = JSON.parse(command);
  const child = spawn(program, [...flags, `--user-data-dir=${folder}`], {
    stdio: ["ignore", file, file],
  });
  closeSync(file);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let address;
  while (!address) {
    await setTimeout(POLL_MS);
    if (child.exitCode !== null) throw new Error(readFileSync(output, "utf8"));
    [, address] = /^DevTools listening on (ws:\S+)\s/m.exec(readFileSync(output, "utf8")) ?? [];
  }
  const browser = await puppeteer.connect({ browserWSEndpoint: address });
  const close = browser.close.bind(browser);
  browser.close = async () => {
    await close();
    await ended;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  return browser;
}

async function one(open) {
  const start = performance.now();
  const browser = await open();
  await browser.version();
  const version = performance.now() - start;
  const page = await browser.newPage();
  await page.evaluate("1");
  return { browser, version, page: performance.now() - start };
}

async function alone(open) {
  const { browser, version, page } = await one(open);
  await browser.close().catch(() => {});
  await setTimeout(SETTLE_MS);
  return { version, page };
}

/** Returns the time until the last one has its page. */
async function together(open) {
  const opened = await Promise.all(Array.from({ length: many }, () => one(open)));
  await Promise.all(opened.map(({ browser }) => browser.close().catch(() => {})));
  await setTimeout(SETTLE_MS);
  return Math.max(...opened.map(({ page }) => page));
}

const times = {
  launch: [],
  connect: [],
  bare: [],
  launchPage: [],
  connectPage: [],
  barePage: [],
  launchMany: [],
  connectMany: [],
};
// The first of each finds nothing in the caches.
await alone(launch);
await alone(connect);
await alone(bare);
for (let round = 0; round < rounds; round++) {
  for (const [name, open] of Object.entries({ launch, connect, bare })) {
    const { version, page } = await alone(open);
    times[name].push(version);
    times[`${name}Page`].push(page);
  }
}
for (let round = 0; round < roundsOfMany; round++) {
  times.launchMany.push(await together(launch));
  times.connectMany.push(await together(connect));
}
process.stdout.write(JSON.stringify(times));
