// Times puppeteer.launch() and a connect through the grid in turn, from nothing to the first answer of the browser.
// Arguments: connect URL, path of the browser, rounds. Prints { launch: ms[], connect: ms[] }.
import process from "node:process";
import puppeteer from "puppeteer-core";

const [connectUrl, executablePath, rounds] = process.argv.slice(2);
const args = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

async function timed(open) {
  const start = performance.now();
  const browser = await open();
  await browser.version();
  const elapsed = performance.now() - start;
  await browser.close().catch(() => {});
  return elapsed;
}

const launch = () => puppeteer.launch({ executablePath, args, headless: true });
const connect = () => puppeteer.connect({ browserWSEndpoint: connectUrl });
const times = { launch: [], connect: [] };
for (let round = 0; round < Number(rounds); round++) {
  times.launch.push(await timed(launch));
  times.connect.push(await timed(connect));
}
process.stdout.write(JSON.stringify(times));
