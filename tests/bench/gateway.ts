import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type GivenGrid, givenGrid } from "../support/given_grid.ts";
import { residentMb } from "../support/memory.ts";
import { clientProgram } from "../support/node_client.ts";
import { startNode } from "../support/node_process.ts";
import { defineBenchmark, type Run } from "./benchmark.ts";
import { MIN_RUNS } from "./figure.ts";
import {
  BUSY_MEASUREMENT,
  GATEWAY_FIGURES,
  type GatewayFigure,
  type GatewayFigures,
  type Measurement,
  MEASUREMENTS,
  type Side,
} from "./gateway_figures.ts";
import { prepareHeavyCalls } from "./heavy_calls.ts";
import { startLocalBrowser } from "./local_browser.ts";
import { measureRelayCpu } from "./plain_relay.ts";
import { measureCpu, measureDelay, startSynthetic } from "./stream_trips.ts";

const IDLE_CLIENTS = 1_000;
/** Idle clients that connect in each second. */
const WAVE = 200;

const NATIVE_OFF = { BROWSERGRID_NATIVE_JOIN: "off" };

/** Plugin that keeps the main thread of a server busy. */
export const BUSY_MAIN_THREAD = fileURLToPath(
  new URL("busy_main_thread.ts", import.meta.url),
);

/** Duration of the trips with the API's load, and without. */
const DELAY_SECONDS = 5;

/** Duration of the trips whose processor time is measured, in seconds. */
export const CPU_SECONDS = 3;

/** Pause before memory is measured. */
const SETTLE_MS = 5_000;

const timesSchema = z.record(z.string(), z.array(z.number()));
const crowdSchema = z.object({ failed: z.int(), slowest_ms: z.number() });

/** Address of each side of a measurement. */
type Sides = Readonly<Record<Side, string>>;

type CrowdId = "idle_clients_failed" | "idle_clients_wave" | "idle_clients_mb";

/** The gateway beside a direct connection to the same browser. */
export const benchmark = defineBenchmark({
  title: "The gateway beside a direct connection",
  method:
    "A Node.js client uses the same browser directly, through the gateway and through a worker's tunnel, in turn in short blocks. The figures are ratios to the direct side. Each run has a new server, worker and browser. The native join is off.",
  figures: {
    ...GATEWAY_FIGURES,
    relay_cpu: {
      title: "processor time of a round trip",
      unit: "µs",
      limit: "none",
      definition:
        `Processor time of the server for one short message to a synthetic browser and back, mean of ${CPU_SECONDS} s of trips without a pause.`,
    },
    relay_cpu_ratio: {
      title: "the same ÷ the time of a plain relay",
      unit: "ratio",
      limit: { atMost: 1.2 },
      definition:
        "The same, divided by the processor time of a minimal relay in Deno in the same run.",
    },
    api_load_delay: {
      title: "delay of a stream by heavy API calls",
      unit: "ms",
      limit: { atMost: 5 },
      definition:
        `Growth of the p99 of round trips to a synthetic browser, one every 2 ms for ${DELAY_SECONDS} s, while the largest lists, bodies of 2 MB and creates are requested without a pause.`,
    },
    idle_clients_mb: {
      title: "server memory for 1,000 idle clients",
      unit: "MB",
      limit: { atMost: 100 },
      definition: `Growth of the server's resident memory, ${
        SETTLE_MS / 1_000
      } s after ${IDLE_CLIENTS.toLocaleString("en")} clients have connected.`,
    },
    idle_clients_wave: {
      title: "200 clients that connect in one second",
      unit: "ms",
      limit: { atMost: 1_000 },
      definition: "Time until the last of them has received a message.",
    },
    idle_clients_failed: {
      title: "of the 1,000 clients: failed",
      unit: "count",
      limit: { atMost: 0 },
      definition: "Clients that could not connect or received no message.",
    },
  },
  async *measure() {
    for (let run = 0; run < MIN_RUNS; run++) {
      await using chromium = await startLocalBrowser();
      await using synthetic = await startSynthetic();
      const endpoints = {
        chromium: chromium.endpoint.href,
        synthetic: synthetic.endpoint,
      };
      yield* measureGrid(endpoints);
      yield* measureBusyGrid(endpoints);
    }
  },
});

/** Addresses of the browsers. */
type Endpoints = Readonly<Record<Measurement["browser"], string>>;

async function* measureGrid(endpoints: Endpoints): AsyncGenerator<Run> {
  await using grid = await givenGrid({ env: NATIVE_OFF });
  await grid.worker("direct");
  await grid.worker("tunnel");
  const sides = {
    chromium: await listSides(grid, endpoints.chromium),
    synthetic: await listSides(grid, endpoints.synthetic),
  };
  // First, because memory that other measurements have left would be used again.
  yield await measureIdleClients(grid, endpoints.synthetic);
  for (const measurement of MEASUREMENTS) {
    yield await compareSides(
      GATEWAY_FIGURES,
      measurement,
      sides[measurement.browser],
    );
  }
  const url = sides.synthetic.gateway;
  const relay_cpu = await measureCpu({
    url,
    seconds: CPU_SECONDS,
    pid: grid.server.pid,
  });
  yield {
    relay_cpu,
    relay_cpu_ratio: relay_cpu / await measureRelayCpu(CPU_SECONDS),
  };
  yield {
    api_load_delay: await measureDelay({
      url,
      seconds: DELAY_SECONDS,
      load: await prepareHeavyCalls(grid.client),
    }),
  };
}

async function* measureBusyGrid(endpoints: Endpoints): AsyncGenerator<Run> {
  await using grid = await givenGrid({
    args: ["--plugin", BUSY_MAIN_THREAD],
    env: NATIVE_OFF,
  });
  await grid.worker("direct");
  const { chromium } = endpoints;
  yield await compareSides(GATEWAY_FIGURES, BUSY_MEASUREMENT, {
    direct: chromium,
    gateway: await grid.session("direct", chromium),
  });
}

/** Creates the sessions of a measurement with the browser at `endpoint`. */
export async function listSides(
  grid: GivenGrid,
  endpoint: string,
): Promise<Omit<Sides, "relay">> {
  return {
    direct: endpoint,
    gateway: await grid.session("direct", endpoint),
    tunnel: await grid.session("tunnel", endpoint),
  };
}

/** Measures every side once, and returns the ratios of those of the figures that belong to the measurement. */
export async function compareSides(
  gatewayFigures: GatewayFigures,
  measurement: Measurement,
  sides: Partial<Sides>,
): Promise<Run> {
  const program = await clientProgram("gateway_bench.mjs");
  await using client = await startNode(program, [
    measurement.name,
    JSON.stringify(sides),
  ]);
  const times = timesSchema.parse(JSON.parse(await client.line()));
  const figures: [string, GatewayFigure][] = Object.entries(gatewayFigures);
  return Object.fromEntries(
    figures.filter(([, figure]) => figure.measurement === measurement)
      .map(([id, { side, summarize }]) => [
        id,
        summarize(times[side] ?? []) / summarize(times.direct ?? []),
      ]),
  );
}

/** Measures the cost of idle clients and the time until those of one second are connected. */
async function measureIdleClients(
  grid: GivenGrid,
  endpoint: string,
): Promise<Run<CrowdId>> {
  const program = await clientProgram("gateway_bench.mjs");
  const url = await grid.session("direct", endpoint);
  const before = await residentMb(grid.server.pid);
  await using client = await startNode(program, [
    "crowd",
    JSON.stringify({ url, count: IDLE_CLIENTS, wave: WAVE }),
  ]);
  const { failed, slowest_ms } = crowdSchema.parse(
    JSON.parse(await client.line()),
  );
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return {
    idle_clients_failed: failed,
    idle_clients_wave: slowest_ms,
    idle_clients_mb: await residentMb(grid.server.pid) - before,
  };
}
