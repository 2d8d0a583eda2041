import { z } from "zod";
import { createClient } from "../../src/client/client.ts";
import { clientProgram, runNode } from "../support/node_client.ts";
import { startGrid } from "./bench_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import { MIN_RUNS } from "./figure.ts";
import { startLocalBrowser } from "./local_browser.ts";
import { quantile } from "./times.ts";

const SINGLES = 8;
const CLIENTS = 10;
const ROUNDS_AT_ONCE = 3;
const MIN_READY = 24;
const ROUNDS_OF_CREATES = 3;

const times = z.array(z.number());

const resultSchema = z.object({
  alone: times,
  grid: times,
  bare: times,
  floor: times,
  creates: times,
  cold: z.int(),
});

/** Sessions of a warm pool: the create request, and a whole cycle. */
export const benchmark = defineBenchmark({
  title: "Sessions of a warm pool",
  method:
    `One Node.js process is the client of a pool with \`min_ready\` ${MIN_READY}, and waits until that is met. A cycle creates a session, connects, opens a page and releases the session. In each run: ${SINGLES} cycles alone; ${ROUNDS_AT_ONCE} times ${CLIENTS} cycles at once, in turn with as many pages of running browsers without the grid; ${ROUNDS_OF_CREATES} times ${MIN_READY} creates, one after the other.`,
  figures: {
    create_warm_p50: {
      title: "create from a warm pool, p50",
      unit: "ms",
      limit: { atMost: 12 },
      definition:
        "Median time of `POST /v1/sessions?wait=30`, to the response with the running session.",
    },
    create_warm_p99: {
      title: "create from a warm pool, p99",
      unit: "ms",
      limit: { atMost: 50 },
      definition: `99th percentile of the same ${
        ROUNDS_OF_CREATES * MIN_READY
      } requests.`,
    },
    cycle_alone: {
      title: "create, connect, page, release",
      unit: "ms",
      limit: { atMost: 150 },
      definition: "Median time of a cycle alone.",
    },
    cycle_at_once: {
      title: `${CLIENTS} cycles at once ÷ pages of ${CLIENTS} browsers`,
      unit: "ratio",
      limit: { atMost: 1.25 },
      definition:
        `Median time of ${CLIENTS} cycles at once, divided by the time in which ${CLIENTS} clients each connect to a running browser without the grid, open a page and close it.`,
    },
    cycle_one_browser: {
      title: `${CLIENTS} cycles at once ÷ pages of one browser`,
      unit: "ratio",
      limit: "none",
      definition:
        `The same, divided by the time in which ${CLIENTS} pages of one running browser are opened and closed at once.`,
    },
    cycle_floor: {
      title: `pages of ${CLIENTS} browsers ÷ of one browser`,
      unit: "ratio",
      limit: "none",
      definition:
        "The same without the grid: what it takes that each session has a browser of its own.",
    },
    cycle_cold: {
      title: "of these sessions, without warm browser",
      unit: "count",
      limit: { atMost: 0 },
      definition: "Sessions of a run that did not receive a warm browser.",
    },
  },
  async *measure() {
    const source = await clientProgram("cycle.mjs");
    await using stack = new AsyncDisposableStack();
    const endpoints: string[] = [];
    for (let count = 0; count < CLIENTS; count++) {
      const { endpoint } = stack.use(await startLocalBrowser());
      endpoints.push(endpoint.href);
    }
    const capacity = String(MIN_READY + CLIENTS);
    const { url } = stack.use(
      await startGrid({
        args: ["--with-worker", "--worker-capacity", capacity],
      }),
    );
    const client = createClient({ apiUrl: url });
    const { items: [pool] } = await client.listPools();
    if (!pool) throw new Error("Cannot measure: the grid has no work pool");
    await client.patchPool(pool.id, { min_ready: MIN_READY });
    for (let run = 0; run < MIN_RUNS; run++) {
      const { stdout, stderr, code } = await runNode(source, [
        ...[url, pool.id, endpoints.join(",")],
        ...[SINGLES, ROUNDS_AT_ONCE, ROUNDS_OF_CREATES, MIN_READY].map(String),
      ]);
      if (code !== 0) throw new Error(stderr);
      const { alone, grid, bare, floor, creates, cold } = resultSchema.parse(
        JSON.parse(stdout),
      );
      yield {
        create_warm_p50: quantile(creates, 0.5),
        create_warm_p99: quantile(creates, 0.99),
        cycle_alone: quantile(alone, 0.5),
        cycle_at_once: quantile(grid, 0.5) / quantile(floor, 0.5),
        cycle_one_browser: quantile(grid, 0.5) / quantile(bare, 0.5),
        cycle_floor: quantile(floor, 0.5) / quantile(bare, 0.5),
        cycle_cold: cold,
      };
    }
  },
});
