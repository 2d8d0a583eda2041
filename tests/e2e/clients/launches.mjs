// Times two series of puppeteer.launch() in turn, from nothing to the browser's first response.
// Arguments: path of the browser, rounds. Prints { one: ms[], other: ms[] }.
import process from "node:process";
import puppeteer from "puppeteer-core";

const [executablePath, rounds] = process.argv.slice(2);
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

await launch();
const times = { one: [], other: [] };
for (let round = 0; round < Number(rounds); round++) {
  times.one.push(await launch());
  times.other.push(await launch());
}
process.stdout.write(JSON.stringify(times));
