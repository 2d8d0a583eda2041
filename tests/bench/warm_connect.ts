import { z } from "zod";
import { createClient } from "../../src/client/client.ts";
import { clientProgram, runNode } from "../support/node_client.ts";
import { requireBrowser, startGrid } from "./bench_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import { MIN_RUNS } from "./figure.ts";
import { quantile } from "./times.ts";

const ROUNDS = 12;
const MIN_READY = 2;

const resultSchema = z.object({
  launch: z.array(z.number()),
  connect: z.array(z.number()),
  warm: z.int(),
});

/** From the opening of a socket to the first response of a warm browser, beside `puppeteer.launch()`. */
export const benchmark = defineBenchmark({
  title: "Connect to a warm browser",
  method:
    `One Node.js process launches a browser and connects to a pool with \`min_ready\` ${MIN_READY}, in turn, ${ROUNDS} times in each run. It waits until the pool is ready before it connects.`,
  figures: {
    warm_connect: {
      title: "warm connect ÷ puppeteer.launch()",
      unit: "ratio",
      limit: { atMost: 0.05 },
      definition:
        "Median time from the opening of the socket at `/v1/connect` to the browser's version, divided by the median time from `puppeteer.launch()` to the same response.",
    },
    warm_connect_cold: {
      title: "of these connects, not to a warm browser",
      unit: "count",
      limit: { atMost: 0 },
      definition: "Sessions of a run that did not receive a warm browser.",
    },
  },
  async *measure() {
    const path = await requireBrowser();
    const source = await clientProgram("warm_connect.mjs");
    await using grid = await startGrid();
    const client = createClient({ apiUrl: grid.url });
    const { items: [pool] } = await client.listPools();
    if (!pool) throw new Error("Cannot measure: the grid has no work pool");
    await client.patchPool(pool.id, { min_ready: MIN_READY });
    for (let run = 0; run < MIN_RUNS; run++) {
      const { stdout, stderr, code } = await runNode(source, [
        grid.url,
        pool.id,
        path,
        String(ROUNDS),
      ]);
      if (code !== 0) throw new Error(stderr);
      const { launch, connect, warm } = resultSchema.parse(JSON.parse(stdout));
      yield {
        warm_connect: quantile(connect, 0.5) / quantile(launch, 0.5),
        warm_connect_cold: ROUNDS - warm,
      };
    }
  },
});
