import assert from "node:assert/strict";
import { keyedGrid } from "../support/keys.ts";
import { testGrid } from "../support/grid.ts";
import { logRecords } from "../support/log_records.ts";
import { runNode } from "../support/node_client.ts";

/** Returns the error of each real client that is rejected at `url`, and the head of the response. */
async function readErrorMessage(
  url: string,
): Promise<Readonly<Record<string, string>>> {
  const { stdout, stderr } = await runNode(
    `import puppeteer from "puppeteer-core";
     import { chromium } from "playwright-core";
     import { WebSocket } from "ws";
     const url = process.argv[2];
     const said = {};
     const words = async (name, connect) => {
       said[name] = await connect().then(() => "connected", (error) => String(error?.message ?? error));
     };
     await words("puppeteer", () => puppeteer.connect({ browserWSEndpoint: url }));
     await words("connectOverCDP", () => chromium.connectOverCDP(url));
     await words("connect", () => chromium.connect(url));
     await words("ws", () => new Promise((resolve, reject) => {
       const socket = new WebSocket(url);
       socket.on("open", resolve).on("error", () => {}).on("unexpected-response", (_, response) =>
         reject(response.statusMessage + " | " + response.headers["browsergrid-error"]));
     }));
     console.log(JSON.stringify(said));
     process.exit();`,
    [url],
  );
  assert.notEqual(stdout, "", stderr);
  return JSON.parse(stdout);
}

const toSocketUrl = (url: string, path: string) =>
  url.replace("http", "ws") + path;

Deno.test("a rejected WebSocket request has its reason in Playwright's error, the reason phrase, a header and the log", async () => {
  await using grid = await testGrid({ listen: true });
  await using log = await logRecords();
  const said = await readErrorMessage(
    toSocketUrl(
      grid.url,
      `/v1/connect?widht=1&label=${encodeURIComponent("é\n")}`,
    ),
  );
  const why =
    /Cannot use the query: widht: unknown parameter, did you mean "width"\?, expected one of/;
  assert.match(said["ws"] ?? "", why);
  assert.match(said["connectOverCDP"] ?? "", why);
  // Puppeteer's WebSocket client reports only the status.
  assert.match(said["puppeteer"] ?? "", /422/);
  assert.match(said["connect"] ?? "", /connectOverCDP\(\)/);
  const lines = log.records.filter(({ properties }) =>
    properties["code"] === "invalid_request"
  );
  assert.ok(lines.length >= 3);
  for (const { properties } of lines) {
    assert.match(String(properties["detail"]), why);
  }
});

Deno.test("the rejection of a WebSocket without a key names ?token=, in the client and in the log", async () => {
  await using grid = await keyedGrid({ listen: true });
  await using log = await logRecords();
  const said = await readErrorMessage(toSocketUrl(grid.url, "/v1/connect"));
  assert.match(said["ws"] ?? "", /the key is missing.*\?token=KEY/);
  assert.match(said["connectOverCDP"] ?? "", /\?token=KEY/);
  assert.match(said["connect"] ?? "", /\?token=KEY/);
  assert.match(said["puppeteer"] ?? "", /401/);
  const refused = log.records.filter(({ properties }) =>
    properties["status"] === 401
  );
  assert.ok(refused.length >= 4);
  for (const { properties } of refused) {
    assert.match(String(properties["detail"]), /\?token=KEY/);
  }
});
