import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import puppeteer from "puppeteer-core";
import { createClient } from "../../src/client/client.ts";
import { DEFAULT_NETWORK } from "../../src/providers/docker/config.ts";
import { docker, dockerTest } from "../support/docker.ts";
import { assertNothingLeft } from "../support/leaks.ts";
import { startProgram } from "../support/program.ts";

const ADMIN_KEY = "key-of-this-test-0123";

/** Returns the text of the page at `page` in the session's browser. */
async function read(connectUrl: string, page: string): Promise<string> {
  const browser = await puppeteer.connect({ browserWSEndpoint: connectUrl });
  try {
    const tab = await browser.newPage();
    await tab.goto(page);
    return await tab.$eval("body", ({ innerText }) => innerText);
  } finally {
    await browser.disconnect();
  }
}

/** Returns the address of the host in the network of sessions. */
async function gateway(): Promise<string> {
  const { IPAM } = await docker.getNetwork(DEFAULT_NETWORK).inspect();
  const found = IPAM?.Config?.[0]?.Gateway;
  assert.ok(found);
  return found;
}

dockerTest(
  "a page in a client's session cannot reach the host's services, one in an admin's session can",
  async () => {
    const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
    const service = createServer((_, response) => response.end("HOST-SECRET"))
      .listen(0, "0.0.0.0");
    await once(service, "listening");
    const address = service.address();
    const port = typeof address === "object" && address ? address.port : 0;
    {
      await using server = startProgram(
        ["serve", "--with-worker", "docker", "--port", "0"]
          .concat("--data-dir", dataDir),
        { BROWSERGRID_API_KEY: ADMIN_KEY },
      );
      const [, apiUrl = ""] = await server.until(/API +(http:\S+)\/v1/);
      const admin = createClient({ apiUrl, apiKey: ADMIN_KEY });
      const { key } = await admin.createKey({ name: "one", role: "client" });
      const client = createClient({ apiUrl, apiKey: key });
      const texts: string[] = [];
      for (const caller of [client, admin]) {
        const session = await caller.createSession({}, { waitSeconds: 60 });
        const page = `http://${await gateway()}:${port}/`;
        texts.push(await read(session.connect_url, page));
        await caller.stopSession(session.id);
      }
      assert.match(
        texts[0] ?? "",
        /the egress of work pool "default-docker" is no_private/,
      );
      assert.equal(texts[1], "HOST-SECRET");
    }
    service.closeAllConnections();
    service.close();
    await once(service, "close");
    await assertNothingLeft(dataDir);
    await Deno.remove(dataDir, { recursive: true });
  },
);
