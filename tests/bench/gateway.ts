/**
 * The gateway beside a direct connection to the same browser, in turn in one run: round trips, throughput, and what
 * idle
 * clients cost. Prints ratios; ends with code 1 if a target is missed. Linux.
 *
 * The server and its workers are the real program with the settings that users have, the browser is a real Chromium.
 * What
 * a browser is too slow to show is measured on a synthetic one, which streams as fast as its messages are taken.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { local } from "../../src/providers/local/provider.ts";
import { browserSpec } from "../support/browser_spec.ts";
import {
  type GivenGrid,
  givenGrid,
  type Reach,
} from "../support/given_grid.ts";
import { residentMb } from "../support/memory.ts";
import { clientProgram } from "../support/node_client.ts";
import { startNode } from "../support/node_process.ts";
import { type Figure, FIGURES, type Side } from "./gateway_figures.ts";
import { print } from "./times.ts";

/** Number of runs of each measurement; the median of its ratios counts. */
const ROUNDS = 3;

/** Idle clients, how many of them come in each second, and what they may cost. */
const IDLE_CLIENTS = 1_000;
const WAVE = 200;
const WAVE_LIMIT_MS = 1_000;
const IDLE_LIMIT_MB = 100;

/** Pause before memory is measured. */
const SETTLE_MS = 5_000;

const timesSchema = z.record(z.string(), z.array(z.number()));
const crowdSchema = z.object({ failed: z.int(), slowest_ms: z.number() });

/** Address of each side of a measurement. */
type Sides = Readonly<Record<Side, string>>;

const program = await clientProgram("gateway_bench.mjs");
const isOk = await measureAll();
Deno.exit(isOk ? 0 : 1);

async function measureAll(): Promise<boolean> {
  await using grid = await givenGrid();
  const reaches: readonly Reach[] = ["direct", "tunnel"];
  for (const reach of reaches) await grid.worker(reach);
  await using chromium = await startChromium();
  await using synthetic = await startSynthetic();
  const browsers = {
    chromium: await listSides(grid, chromium.endpoint.href),
    synthetic: await listSides(grid, synthetic.endpoint),
  };
  // First: what a server has once needed for other measurements, it would not need again.
  const verdicts = [await measureCrowd(grid, synthetic.endpoint)];
  for (const figure of FIGURES) {
    verdicts.push(await measure(figure, browsers[figure.browser]));
  }
  return verdicts.every((isMet) => isMet);
}

async function listSides(grid: GivenGrid, endpoint: string): Promise<Sides> {
  return {
    direct: endpoint,
    gateway: await grid.session("direct", endpoint),
    tunnel: await grid.session("tunnel", endpoint),
  };
}

/** Measures in each round, and prints. False if a target is missed. */
async function measure(figure: Figure, sides: Sides): Promise<boolean> {
  const rounds: Record<string, number[]>[] = [];
  while (rounds.length < ROUNDS) {
    await using client = await startNode(program, [
      figure.measurement,
      JSON.stringify(sides),
    ]);
    rounds.push(timesSchema.parse(JSON.parse(await client.line())));
  }
  print(`${figure.title}`);
  let isMet = true;
  for (const { name, value, show, targets } of figure.values) {
    const of = (side: Side) => rounds.map((times) => value(times[side] ?? []));
    const direct = of("direct");
    print(`  ${name.padEnd(11)} ${"direct".padEnd(8)} ${show(median(direct))}`);
    for (const side of ["gateway", "tunnel"] as const) {
      const values = of(side);
      const ratios = values.map((each, at) => each / (direct[at] ?? NaN));
      const verdict = verdictOn(median(ratios), targets[side]);
      isMet &&= verdict.isMet;
      print(
        `  ${"".padEnd(11)} ${side.padEnd(8)} ${show(median(values))}` +
          `  × ${median(ratios).toFixed(2)}` +
          ` (${Math.min(...ratios).toFixed(2)} to ${
            Math.max(...ratios).toFixed(2)
          })${verdict.text}`,
      );
    }
  }
  return isMet;
}

/**
 * Measures the cost of idle clients and the time until those of one second are connected. Returns false if a limit is
 * exceeded.
 */
async function measureCrowd(
  grid: GivenGrid,
  endpoint: string,
): Promise<boolean> {
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
  const grownMb = await residentMb(grid.server.pid) - before;
  print(`${IDLE_CLIENTS} idle clients, ${WAVE} of them a second`);
  print(`  failed      ${failed}`);
  print(
    `  connected   after ${
      slowest_ms.toFixed(0)
    } ms, limit ${WAVE_LIMIT_MS} ms`,
  );
  print(
    `  memory      ${
      grownMb.toFixed(0)
    } MB more in the server, limit ${IDLE_LIMIT_MB} MB`,
  );
  return failed === 0 && slowest_ms < WAVE_LIMIT_MS && grownMb < IDLE_LIMIT_MB;
}

async function startChromium() {
  await using stack = new AsyncDisposableStack();
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-bench-" });
  stack.defer(() => Deno.remove(dataDir, { recursive: true }));
  const host = stack.use(
    await local.open(local.configSchema.parse({}), {
      gridId: "bench",
      workerId: "bench",
      dataDir,
    }),
  );
  const never = new AbortController().signal;
  const browser = await host.start(browserSpec(), "bench", never);
  stack.defer(() => browser.stop(1_000));
  const owned = stack.move();
  return {
    endpoint: browser.endpoint,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startSynthetic() {
  const url = new URL("gateway_upstream.mjs", import.meta.url);
  const upstream = await startNode(await Deno.readTextFile(url));
  return {
    endpoint: `ws://127.0.0.1:${await upstream.line()}/devtools/browser/x`,
    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  };
}

function verdictOn(ratio: number, target: number | undefined) {
  if (target === undefined) return { isMet: true, text: "" };
  // Times may be so much longer, rates only so much lower.
  const isMet = target > 1 ? ratio <= target : ratio >= target;
  const bound = target > 1 ? "at most" : "at least";
  return {
    isMet,
    text: `, ${bound} ${target}: ${isMet ? "ok" : "MISSED"}`,
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
