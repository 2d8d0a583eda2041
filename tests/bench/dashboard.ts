import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { createClient } from "../../src/client/client.ts";
import { startProgram } from "../support/program.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { requireBrowser, startGrid } from "./bench_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import { MIN_RUNS } from "./figure.ts";
import { readCpuMs } from "./machine.ts";
import { fillDatabase, toId } from "./scale_fill.ts";
import { quantile } from "./times.ts";

const SESSIONS = 5_000;

/** Updates of a run. */
const UPDATES = 20;

/** Longer than the shortest time between two loads of the page. */
const BETWEEN_UPDATES_MS = 1_200;

const IDLE_SECONDS = 20;

/** The dashboard in a real browser. */
export const benchmark = defineBenchmark({
  title: "Dashboard",
  method:
    `Chromium shows the sessions of a grid with ${SESSIONS} of them, while ${UPDATES} more are created, one after the other. Then it shows the overview of a grid without sessions.`,
  figures: {
    dashboard_update_p50: {
      title: "change to paint, p50",
      unit: "ms",
      limit: { atMost: 100 },
      definition:
        "Time from the response to the request that creates a session until the page has painted its row.",
    },
    dashboard_update_max: {
      title: "change to paint, the longest",
      unit: "ms",
      limit: "none",
      definition: "The same.",
    },
    dashboard_idle_server: {
      title: "cores of the server, open and idle",
      unit: "ratio",
      limit: { atMost: 0.01 },
      definition:
        `Processor time of the server in ${IDLE_SECONDS} s with the page open, less that without it, divided by that time.`,
    },
    dashboard_idle_page: {
      title: "cores of the page, open and idle",
      unit: "ratio",
      limit: { atMost: 0.01 },
      definition:
        "Time of the tasks of the page in the same time, divided by it.",
    },
  },
  async *measure() {
    await using browser = await puppeteer.launch({
      executablePath: await requireBrowser(),
      args: ["--no-sandbox", "--disable-dev-shm-usage"],
    });
    for (let run = 0; run < MIN_RUNS; run++) {
      const times = await measureUpdates(browser);
      yield {
        dashboard_update_p50: quantile(times, 0.5),
        dashboard_update_max: Math.max(...times),
        ...await measureIdle(browser),
      };
    }
  },
});

async function open(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  await page.setViewport({ width: 1_280, height: 900 });
  await page.goto(url);
  return page;
}

async function measureUpdates(browser: Browser): Promise<readonly number[]> {
  await using folder = await temporaryFolder();
  await fillDatabase(`${folder.path}/browsergrid.db`, SESSIONS, Date.now());
  await using server = startProgram(
    ["serve", "--port", "0", "--data-dir", folder.path],
  );
  const [, url = ""] = await server.until(/API +(\S+)\/v1/);
  const client = createClient({ apiUrl: url });
  await using page = await open(browser, `${url}/ui/sessions`);
  await page.waitForSelector("tbody tr");
  const times: number[] = [];
  for (let update = 0; update < UPDATES; update++) {
    await sleep(BETWEEN_UPDATES_MS);
    const { id } = await client.createSession({
      work_pool_id: toId("pool", 3),
    });
    const createdAt = Date.now();
    const paintedAt = await page.evaluate(async (id) => {
      while (!document.querySelector(`a[href$="${id}"]`)) {
        await new Promise(requestAnimationFrame);
      }
      // Called before the frame is painted; the next task follows it.
      await new Promise(requestAnimationFrame);
      return Date.now();
    }, id);
    times.push(Math.max(0, paintedAt - createdAt));
  }
  return times;
}

async function measureIdle(browser: Browser) {
  await using grid = await startGrid({ args: [] });
  await sleep(5_000);
  const alone = await measureCpu(grid.server.pid);
  await using page = await open(browser, grid.url);
  await page.waitForSelector("header.top");
  await sleep(2_000);
  const before = await page.metrics();
  const opened = await measureCpu(grid.server.pid);
  const after = await page.metrics();
  const taskSeconds = (after.TaskDuration ?? 0) - (before.TaskDuration ?? 0);
  return {
    dashboard_idle_server: Math.max(0, opened - alone),
    dashboard_idle_page: taskSeconds / IDLE_SECONDS,
  };
}

/** Returns the cores that a process uses in {@linkcode IDLE_SECONDS}. */
async function measureCpu(pid: number): Promise<number> {
  const before = await readCpuMs(pid);
  await sleep(IDLE_SECONDS * 1_000);
  return (await readCpuMs(pid) - before) / (IDLE_SECONDS * 1_000);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
