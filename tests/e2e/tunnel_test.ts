import assert from "node:assert/strict";
import { createClient } from "../../src/client/client.ts";
import { assertNothingLeft } from "../support/leaks.ts";
import { runNode } from "../support/node_client.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { startTlsFront } from "../support/tls_front.ts";

const PAGE = "data:text/html,<title>Through the tunnel</title>";

Deno.test("Puppeteer drives the browser of a worker behind a tunnel over https, with --reach tunnel, and the command line shows how it is reached", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(dataDir, { recursive: true }));
  stack.defer(() => assertNothingLeft(dataDir));
  const server = stack.use(
    startProgram(["serve", "--port", "0", "--data-dir", `${dataDir}/server`]),
  );
  const [, url = ""] = await server.until(/API +(http:\S+)\/v1/);
  const front = stack.use(await startTlsFront(url));
  const client = createClient({ apiUrl: url });
  await client.createPool({ name: "pool", provider_type: "local" });
  const worker = stack.use(startProgram(
    [
      ...["worker", "--work-pool-id", "pool", "--api-url", front.url],
      ...["--reach", "tunnel", "--data-dir", `${dataDir}/worker`],
    ],
    { DENO_CERT: front.certificate },
  ));
  await worker.until(/serves work pool/);
  const { id, connect_url } = await client.createSession({}, {
    waitSeconds: 30,
  });
  const { stdout, stderr } = await runNode(
    `import puppeteer from "puppeteer-core";
     const browserWSEndpoint = ${JSON.stringify(connect_url)};
     const browser = await puppeteer.connect({ browserWSEndpoint });
     const page = await browser.newPage();
     await page.goto(${JSON.stringify(PAGE)});
     console.log(await page.title());
     await browser.disconnect();`,
  );
  assert.equal(stderr, "");
  assert.equal(stdout.trim(), "Through the tunnel");
  const shown = async (...args: readonly string[]) =>
    (await runProgram([...args, "--api-url", url])).stdout;
  assert.match(await shown("session", "get", id), /reach\W+tunnel/);
  assert.match(await shown("worker", "list"), /tunnel, tunnel up/);
  // A draining worker waits for its running sessions.
  await client.stopSession(id);
});
