import { z } from "zod";
import { screenSchema } from "../../src/core/browser_spec.ts";
import { renderChromiumFlags } from "../../src/providers/kit/chromium_flags.ts";
import { findBrowser } from "../../src/providers/local/find_browser.ts";
import { browserSpec } from "../support/browser_spec.ts";
import { clientProgram, runNode } from "../support/node_client.ts";
import { requireBrowser, startGrid } from "./bench_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import { MIN_RUNS } from "./figure.ts";
import { quantile } from "./times.ts";

const ROUNDS = 12;
const MANY = 8;
const ROUNDS_OF_MANY = 3;

const times = z.array(z.number());

const resultSchema = z.object({
  launch: times,
  connect: times,
  bare: times,
  launchPage: times,
  connectPage: times,
  barePage: times,
  launchMany: times,
  connectMany: times,
});

/** From `connect` to a browser that must be started and to its page, beside `puppeteer.launch()`. */
export const benchmark = defineBenchmark({
  title: "Connect to a browser that must be started",
  method:
    `One Node.js process launches a browser, connects through the grid, and starts the grid's command line without a grid, in turn, ${ROUNDS} times in each run, and then ${MANY} at once ${ROUNDS_OF_MANY} times. Half a second passes between a close and the next start.`,
  figures: {
    cold_connect: {
      title: "cold connect ÷ puppeteer.launch()",
      unit: "ratio",
      limit: { atMost: 1.1 },
      definition:
        "Median time from `puppeteer.connect()` to the browser's version, divided by the median time from `puppeteer.launch()` to the same response. Most of it is the browser's own start, as the next figure shows: a browser responds when its main thread has started.",
    },
    cold_bare: {
      title: "bare start ÷ puppeteer.launch()",
      unit: "ratio",
      limit: "none",
      definition:
        "The same of a start without a grid: what the browser itself takes with the grid's command line.",
    },
    cold_overhead: {
      title: "cold connect ÷ bare start",
      unit: "ratio",
      limit: { atMost: 1.1 },
      definition: "What the grid adds to the start of its browser.",
    },
    cold_page: {
      title: "cold connect to a page ÷ launch",
      unit: "ratio",
      limit: { atMost: 1.1 },
      definition: "_cold connect ÷ launch_ to the first result of a new page.",
    },
    cold_page_overhead: {
      title: "cold connect to a page ÷ bare start",
      unit: "ratio",
      limit: { atMost: 1.1 },
      definition:
        "_cold connect ÷ bare start_ to the first result of a new page.",
    },
    cold_page_many: {
      title: `${MANY} at once to their pages ÷ launch`,
      unit: "ratio",
      limit: { atMost: 1 },
      definition:
        `Median time until the last of ${MANY} clients that connect at once has the first result of a new page, divided by the same with launches.`,
    },
  },
  async *measure() {
    const path = await requireBrowser();
    await using grid = await startGrid({
      args: ["--with-worker", "--worker-capacity", String(MANY)],
    });
    const source = await clientProgram("cold_start.mjs");
    const command = await findCommand();
    for (let run = 0; run < MIN_RUNS; run++) {
      const { stdout, stderr, code } = await runNode(source, [
        grid.connectUrl,
        path,
        JSON.stringify(command),
        ...[ROUNDS, MANY, ROUNDS_OF_MANY].map(String),
      ]);
      if (code !== 0) throw new Error(stderr);
      const result = resultSchema.parse(JSON.parse(stdout));
      yield {
        cold_connect: compare(result.connect, result.launch),
        cold_bare: compare(result.bare, result.launch),
        cold_overhead: compare(result.connect, result.bare),
        cold_page: compare(result.connectPage, result.launchPage),
        cold_page_overhead: compare(result.connectPage, result.barePage),
        cold_page_many: compare(result.connectMany, result.launchMany),
      };
    }
  },
});

/** Returns the command line of the grid's browser, without its folder. */
async function findCommand(): Promise<readonly string[]> {
  const browser = await findBrowser(undefined);
  if (!browser) throw new Error("Cannot measure: no browser was found");
  return [
    browser.path,
    "--remote-debugging-port=0",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-sandbox",
    ...renderChromiumFlags(browserSpec({ screen: screenSchema.parse({}) }), {}),
    "about:blank",
  ];
}

function compare(grid: readonly number[], bare: readonly number[]): number {
  return quantile(grid, 0.5) / quantile(bare, 0.5);
}
