/**
 * Warm connect: from the opening of a socket at `/v1/connect` to the browser's first answer, where the pool keeps browsers
 * ready, beside `puppeteer.launch()` on the same machine.
 *
 * Both are timed in turn in one Node process, so that whatever else the machine does hits both alike. Prints medians in
 * milliseconds and their ratio; ends with code 1 if the ratio is above the limit, or a browser had not been ready.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { createClient } from "../../src/client/client.ts";
import { findBrowser } from "../../src/providers/local/find_browser.ts";
import { clientProgram, runNode } from "../support/node_client.ts";
import { startProgram } from "../support/program.ts";
import { print, quantile, report } from "./times.ts";

const ROUNDS = 25;
const MIN_READY = 2;
const LIMIT = 0.1;

const resultSchema = z.object({
  launch: z.array(z.number()),
  connect: z.array(z.number()),
  warm: z.int(),
});

const found = await findBrowser(undefined);
if (!found) throw new Error("Cannot measure: no Chrome or Chromium is here");
const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-bench-" });
let isOk = false;
try {
  await using grid = startProgram(
    ["serve", "--with-worker", "--port", "0", "--data-dir", dataDir],
  );
  const [, url = ""] = await grid.until(/API +(\S+)\/v1/);
  await grid.until(/Connect +ws:\S+/);
  const client = createClient({ apiUrl: url });
  const { items: [pool] } = await client.listPools();
  if (!pool) throw new Error("Cannot measure: the grid has no work pool");
  await client.patchPool(pool.id, { min_ready: MIN_READY });
  const { stdout, stderr, code } = await runNode(
    await clientProgram("warm_connect.mjs"),
    [url, pool.id, found.path, String(ROUNDS)],
  );
  if (code !== 0) throw new Error(stderr);
  const { launch, connect, warm } = resultSchema.parse(JSON.parse(stdout));
  const ratio = quantile(connect, 0.5) / quantile(launch, 0.5);
  report("puppeteer.launch()", launch);
  report("connect to a browser that is ready", connect);
  print(`${warm} of ${ROUNDS} connects were given one that was ready`);
  print(`ratio of medians: ${ratio.toFixed(3)} (limit ${LIMIT})`);
  isOk = ratio <= LIMIT && warm === ROUNDS;
} finally {
  await Deno.remove(dataDir, { recursive: true });
}
Deno.exit(isOk ? 0 : 1);
