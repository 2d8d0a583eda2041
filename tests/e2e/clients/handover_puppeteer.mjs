// Hands a login over to a person and goes on: URL of the session's API, its connect URL, address of the shop.
import puppeteer from "puppeteer-core";

const [session, connectUrl, shop] = process.argv.slice(2);
const browser = await puppeteer.connect({ browserWSEndpoint: connectUrl });
const page = await browser.newPage();
await page.goto(`${shop}/login`);

const requested = await fetch(`${session}/handover`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    reason: "Please sign in to the shop",
    until: { url: `${shop}/account*`, selector: "h1" },
  }),
});
const { live_url } = await requested.json();
console.log(`A person can sign in at ${live_url}`);

let handover;
do {
  handover = await (await fetch(`${session}/handover?wait=60`)).json();
} while (handover.status === "open");
console.log(handover.status);

console.log(await page.$eval("h1", (title) => title.textContent));
await browser.disconnect();
