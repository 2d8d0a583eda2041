import type { Page } from "puppeteer-core";
import { createClient, type GridClient } from "../../src/client/client.ts";
import { cdpClient } from "../support/cdp_client.ts";
import { type LiveViewer, openLiveViewer } from "../support/live_viewer.ts";
import { type BenchGrid, startGrid } from "./bench_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import { MIN_RUNS } from "./figure.ts";
import { measurePageTrips } from "./page_trips.ts";
import { readCpuMs } from "./machine.ts";
import { openViewingPage } from "./viewing_page.ts";
import { quantile } from "./times.ts";

/** Round trips of one measurement. */
const CALLS = 500;

/** Measurements of each side in a run, in turn. */
const ROUNDS = 3;

/** Sessions and viewers of the measurement of processor time. */
const SESSIONS = 2;
const VIEWERS = 20;

const CPU_SECONDS = 10;

/** Samples of a latency. */
const SAMPLES = 60;

/** Bits of the time that the page shows, and the side of their squares. */
const BITS = 16;
const SIDE = 40;

/** A page that shows the time in black and white squares 20 times a second, and changes with each click. */
const CLOCK = `<body style="margin: 0"><canvas id="c" width="${
  BITS * SIDE
}" height="${SIDE}"></canvas>
<div id="d" style="height: 400px; width: 640px; background: #000"></div><script>
const context = c.getContext("2d");
let at = 0;
let clicks = 0;
onmousedown = () => d.style.background = ++clicks % 2 ? "#fff" : "#000";
globalThis.isRunning = true;
requestAnimationFrame(function draw(now) {
  requestAnimationFrame(draw);
  if (now - at < 48 || !isRunning) return;
  at = now;
  const time = Date.now() & ${2 ** BITS - 1};
  for (let bit = 0; bit < ${BITS}; bit++) {
    context.fillStyle = time >> bit & 1 ? "#fff" : "#000";
    context.fillRect(bit * ${SIDE}, 0, ${SIDE}, ${SIDE});
  }
});</script>`;

/** Sessions whose page changes all the time, and their viewers. */
export const benchmark = defineBenchmark({
  title: "Live view",
  method:
    `A page of a session changes 20 times a second. A client evaluates \`1\` in it with one viewer of 10 pictures a second and without, ${ROUNDS} times in turn in each run. Another Chromium on the machine shows the page of a link at 1280 x 720 and reads the time that the page shows from its own canvas; then it clicks into the still page.`,
  figures: {
    live_trip: {
      title: "round trip with a viewer, p50",
      unit: "ratio",
      limit: { atMost: 1.25 },
      definition:
        `Median of ${ROUNDS} x ${CALLS} calls with one viewer, divided by that without.`,
    },
    live_latency: {
      title: "page paints to canvas paints, p50",
      unit: "ms",
      limit: { atMost: 60 },
      definition:
        `Median of ${SAMPLES} pictures: the time at which the viewer's canvas shows them, less the time that the page shows in them.`,
    },
    live_click: {
      title: "click to picture, p50",
      unit: "ms",
      limit: { atMost: 60 },
      definition:
        `Median of ${SAMPLES} clicks into a page that is still otherwise, until the viewer's canvas shows the change.`,
    },
    live_cpu: {
      title: `cores of server and worker, ${VIEWERS} viewers`,
      unit: "ratio",
      limit: { atMost: 0.5 },
      definition:
        `Processor time of the server with its worker, without the browsers, while ${VIEWERS} viewers of ${SESSIONS} sessions receive 10 pictures a second for ${CPU_SECONDS} s, divided by that time.`,
    },
    live_rate: {
      title: "pictures a second of each of them",
      unit: "per second",
      limit: "none",
      definition: "Mean over these viewers.",
    },
  },
  async *measure() {
    for (let run = 0; run < MIN_RUNS; run++) {
      await using grid = await startGrid();
      const client = createClient({ apiUrl: grid.url });
      yield {
        live_trip: await measureTrip(client),
        ...await measureLatency(client),
        ...await measureCpu(grid, client),
      };
    }
  },
});

/** A session that shows the clock. Disposal ends it. */
async function startClock(client: GridClient) {
  const { id, connect_url } = await client.createSession({}, {
    waitSeconds: 60,
  });
  const [target] = await client.listSessionTargets(id);
  const page = await cdpClient(String(target?.["webSocketDebuggerUrl"]));
  await page.call("Page.navigate", {
    url: `data:text/html,${encodeURIComponent(CLOCK)}`,
  });
  const view = String(connect_url).replace(/\/cdp.*/, "/live");
  return {
    id,
    page,
    view: (): Promise<LiveViewer> => openLiveViewer(view),
    async [Symbol.asyncDispose]() {
      await page[Symbol.asyncDispose]();
      await client.stopSession(id);
    },
  };
}

async function measureTrip(client: GridClient): Promise<number> {
  await using session = await startClock(client);
  await measurePageTrips(session.page, CALLS);
  const alone: number[] = [];
  const viewed: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(...await measurePageTrips(session.page, CALLS));
    await using viewer = await session.view();
    await viewer.shows(5);
    viewed.push(...await measurePageTrips(session.page, CALLS));
  }
  return quantile(viewed, 0.5) / quantile(alone, 0.5);
}

async function measureLatency(client: GridClient) {
  await using session = await startClock(client);
  const { url } = await client.createLiveLink(session.id, { mode: "control" });
  await using viewing = await openViewingPage(url);
  const latencies = await readLatencies(viewing.page);
  await session.page.evaluate("isRunning = false");
  const clicks = await readClicks(viewing.page);
  return {
    live_latency: quantile(latencies, 0.5),
    live_click: quantile(clicks, 0.5),
  };
}

/** Reads the times in the pictures of the viewer's canvas. */
async function readLatencies(page: Page): Promise<readonly number[]> {
  return await page.evaluate(
    async (samples, bits, side) => {
      const canvas = document.querySelector("canvas");
      const context = canvas?.getContext("2d");
      if (!canvas || !context) throw new Error("no canvas");
      const latencies: number[] = [];
      let last = -1;
      while (latencies.length < samples) {
        await new Promise(requestAnimationFrame);
        const scale = canvas.width / innerWidth;
        const width = Math.max(1, Math.round(bits * side * scale));
        const y = Math.round(side * scale / 2);
        const { data } = context.getImageData(0, y, width, 1);
        let time = 0;
        for (let bit = 0; bit < bits; bit++) {
          const x = Math.round((bit + 0.5) * side * scale);
          if ((data[x * 4] ?? 0) > 127) time |= 1 << bit;
        }
        if (time === last) continue;
        last = time;
        latencies.push((Date.now() - time) & (2 ** bits - 1));
      }
      return latencies;
    },
    SAMPLES,
    BITS,
    SIDE,
  );
}

/** Clicks into the picture, and waits for each change of it. */
async function readClicks(page: Page): Promise<readonly number[]> {
  return await page.evaluate(
    async (samples, side) => {
      const canvas = document.querySelector("canvas");
      const context = canvas?.getContext("2d");
      if (!canvas || !context) throw new Error("no canvas");
      const box = canvas.getBoundingClientRect();
      const point = {
        x: Math.round(canvas.width / 20),
        y: Math.round(canvas.height / 2),
      };
      const isWhite = () =>
        (context.getImageData(point.x, point.y, 1, 1).data[0] ?? 0) > 127;
      const times: number[] = [];
      for (let sample = 0; sample < samples; sample++) {
        // The page is still before the click.
        await new Promise((resolve) => setTimeout(resolve, 100 + side));
        const before = isWhite();
        const startedAt = performance.now();
        const options = {
          bubbles: true,
          clientX: box.left + box.width / 20,
          clientY: box.top + box.height / 2,
          detail: 1,
        };
        canvas.dispatchEvent(
          new MouseEvent("mousedown", { ...options, buttons: 1 }),
        );
        canvas.dispatchEvent(new MouseEvent("mouseup", options));
        while (isWhite() === before) await new Promise(requestAnimationFrame);
        times.push(performance.now() - startedAt);
      }
      return times;
    },
    SAMPLES,
    SIDE,
  );
}

async function measureCpu(grid: BenchGrid, client: GridClient) {
  await using stack = new AsyncDisposableStack();
  const viewers: LiveViewer[] = [];
  for (let count = 0; count < SESSIONS; count++) {
    const session = stack.use(await startClock(client));
    for (let each = 0; each < VIEWERS / SESSIONS; each++) {
      viewers.push(stack.use(await session.view()));
    }
  }
  await Promise.all(viewers.map((viewer) => viewer.shows(5)));
  const countPictures = () =>
    viewers.reduce((sum, { pictures }) => sum + pictures.length, 0);
  const [before, cpuBefore] = [
    countPictures(),
    await readCpuMs(grid.server.pid),
  ];
  await new Promise((resolve) => setTimeout(resolve, CPU_SECONDS * 1_000));
  const cpuMs = await readCpuMs(grid.server.pid) - cpuBefore;
  return {
    live_cpu: cpuMs / (CPU_SECONDS * 1_000),
    live_rate: (countPictures() - before) / VIEWERS / CPU_SECONDS,
  };
}
