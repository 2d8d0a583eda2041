import { z } from "zod";
import { clientProgram, runNode } from "../support/node_client.ts";
import { requireBrowser } from "./bench_grid.ts";
import { defineBenchmark, type Run } from "./benchmark.ts";
import { MIN_RUNS } from "./figure.ts";
import { floorCommand, startFloor } from "./floors/start_floor.ts";
import { compareSides, CPU_SECONDS } from "./gateway.ts";
import {
  EVALUATE,
  MEGABYTES,
  RELAY_FIGURES,
  UPLOADS,
} from "./gateway_figures.ts";
import { startLoad } from "./load_process.ts";
import { startLocalBrowser } from "./local_browser.ts";
import { readCpuMs } from "./machine.ts";
import { measureRelayCpu, startRelay } from "./plain_relay.ts";
import { STARTS, timeStarts } from "./time_starts.ts";
import { quantile } from "./times.ts";

const LAUNCHES = 8;

/** Requests a second, more than the server can answer, and seconds. */
const LOAD = { rate: 8_000, seconds: 4 };

const launchesSchema = z.object({
  one: z.array(z.number()),
  other: z.array(z.number()),
});

/** Minimal programs that show what the platform allows to the figures of the other benchmarks. */
export const benchmark = defineBenchmark({
  title: "What the platform allows",
  method:
    "Minimal programs do the least that a program of this kind must do. No change to the grid brings a figure past them.",
  figures: {
    floor_framework_cpu: {
      title: "CPU of loading @hono/zod-openapi",
      unit: "ms",
      limit: "none",
      definition:
        `User and system time of a program that only loads the HTTP framework, mean of ${STARTS}: the floor of \`serve\`.`,
    },
    floor_api_rate: {
      title: "hello world on Hono, API load",
      unit: "per second",
      limit: "none",
      definition:
        "Responses a second of a server that answers every request with one small document, to the load generator of the API: the ceiling of its rate.",
    },
    floor_api_cpu: {
      title: "hello world, server's CPU a request",
      unit: "µs",
      limit: "none",
      definition:
        "CPU time of that server by responses: what a request costs before anything of the grid.",
    },
    ...RELAY_FIGURES,
    floor_trip_cpu: {
      title: "processor time of a plain relay's trip",
      unit: "µs",
      limit: "none",
      definition:
        `Processor time of the relay for one short message to a synthetic browser and back, mean of ${CPU_SECONDS} s of trips without a pause, after as many that are not measured.`,
    },
    floor_launch: {
      title: "puppeteer.launch() ÷ puppeteer.launch()",
      unit: "ratio",
      limit: "none",
      definition:
        `Medians of two series of ${LAUNCHES} launches in turn: what a ratio to a launch differs by without a cause.`,
    },
  },
  async *measure() {
    const path = await requireBrowser();
    const launches = await clientProgram("launches.mjs");
    for (let run = 0; run < MIN_RUNS; run++) {
      yield* measureRelay();
      const { one, other } = launchesSchema.parse(
        await readOutput(runNode(launches, [path, String(LAUNCHES)])),
      );
      yield {
        floor_framework_cpu: await startsCpuMs("framework.ts"),
        ...await loadHello(),
        floor_launch: quantile(one, 0.5) / quantile(other, 0.5),
      };
    }
  },
});

/** Returns the CPU time of one start. */
async function startsCpuMs(program: string): Promise<number> {
  const [command, ...args] = floorCommand(program);
  const start = () => new Deno.Command(command, { args }).output();
  return (await timeStarts(start)).cpu;
}

async function loadHello(): Promise<Run> {
  await using server = await startFloor("hello.ts");
  await using load = await startLoad(server.line);
  // The first second compiles the program.
  await load.run(LOAD.rate, 1);
  const before = await readCpuMs(server.pid);
  const { per_second, requests } = await load.run(LOAD.rate, LOAD.seconds);
  const cpuMs = await readCpuMs(server.pid) - before;
  return {
    floor_api_rate: per_second,
    floor_api_cpu: cpuMs * 1_000 / requests,
  };
}

/** Measures the minimal relay as the gateway is measured. */
async function* measureRelay(): AsyncGenerator<Run> {
  await using browser = await startLocalBrowser();
  await using relay = await startRelay(browser.endpoint);
  const sides = { direct: browser.endpoint.href, relay: relay.url };
  for (const measurement of [EVALUATE, MEGABYTES, UPLOADS]) {
    yield await compareSides(RELAY_FIGURES, measurement, sides);
  }
  yield { floor_trip_cpu: await measureRelayCpu(CPU_SECONDS) };
}

async function readOutput(
  running: ReturnType<typeof runNode>,
): Promise<unknown> {
  const { stdout, stderr, code } = await running;
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}
