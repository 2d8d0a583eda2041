// Times puppeteer.launch() and a connect to a pool with a browser ready in turn, from nothing to the browser's first answer.
// Arguments: URL of the server, name of the pool, path of the browser, rounds. Prints { launch, connect, warm }: ms of each
// round, and how many of the connects were given a browser that was ready.
import { once } from "node:events";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import puppeteer from "puppeteer-core";
import WebSocket from "ws";

const [serverUrl, pool, executablePath, rounds] = process.argv.slice(2);
const connectUrl = `${
  serverUrl.replace("http", "ws")
}/v1/connect?work_pool_id=${pool}`;
const args = ["--no-sandbox", "--disable-quic", "--disable-component-update"];

async function launch() {
  const start = performance.now();
  const browser = await puppeteer.launch({
    executablePath,
    args,
    headless: true,
  });
  await browser.version();
  const elapsed = performance.now() - start;
  await browser.close();
  return elapsed;
}

async function connect() {
  const start = performance.now();
  const socket = new WebSocket(connectUrl);
  await once(socket, "open");
  socket.send('{"id":1,"method":"Browser.getVersion"}');
  await once(socket, "message");
  const elapsed = performance.now() - start;
  socket.close();
  await once(socket, "close");
  return elapsed;
}

/** Waits until the pool has a browser ready, and whatever its start has set going is done. */
async function ready() {
  for (let tries = 0; tries < 400; tries++) {
    const answer = await fetch(`${serverUrl}/v1/workerpool/pools/${pool}/pressure`);
    const { ready } = await answer.json();
    if (ready > 0) return await sleep(300);
    await sleep(50);
  }
  throw new Error("The pool has no browser ready");
}

const times = { launch: [], connect: [] };
await ready();
await connect();
for (let round = 0; round < Number(rounds); round++) {
  times.launch.push(await launch());
  await ready();
  times.connect.push(await connect());
}
const sessions = await fetch(
  `${serverUrl}/v1/sessions?work_pool_id=${pool}&limit=${rounds}`,
);
const { items } = await sessions.json();
process.stdout.write(JSON.stringify({
  ...times,
  warm: items.filter(({ warm }) => warm).length,
}));
