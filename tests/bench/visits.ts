import { z } from "zod";
import { createClient } from "../../src/client/client.ts";
import { clientProgram, runNode } from "../support/node_client.ts";
import { requireBrowser, startGrid } from "./bench_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import { MIN_RUNS } from "./figure.ts";
import { mean, quantile } from "./times.ts";

const CLIENTS = 50;
const CAPACITY = 4;
/** Bare visits before the 50 clients, and again after them. */
const BARE = 12;
/** Single visits before the 50 clients, and again after them, each beside a bare one. */
const SINGLES = 5;

/** Time to the first response through the grid, and bare. */
const pairsSchema = z.array(z.tuple([z.number(), z.number()]));

const resultSchema = z.object({
  served: z.int(),
  rate: z.number(),
  bare: z.array(z.number()),
  before: pairsSchema,
  after: pairsSchema,
  refusals: z.array(z.string()),
});

/** Fifty clients at once where four browsers may run, beside bare browsers in turns of four. */
export const benchmark = defineBenchmark({
  title: "More clients than browsers",
  method:
    `${CLIENTS} clients connect at once to a grid with capacity ${CAPACITY}. Each holds its browser for 0.5 s. The same Node.js process launches ${BARE} bare browsers, ${CAPACITY} at a time and held as long, before and after.`,
  figures: {
    visits_rate: {
      title: "visits a second ÷ bare launches",
      unit: "ratio",
      // 1.1 times the rate of the fastest other grid that serves all: 0.88 a second where bare launches reach 1.21 to 1.32.
      limit: { atLeast: 0.77 },
      definition:
        "Visits a second of the grid, divided by those of bare launches. The limit is 1.1 times the rate of the fastest other grid that was measured in this way.",
    },
    visits_per_second: {
      title: "visits a second, 4 at a time",
      unit: "per second",
      limit: "none",
      definition:
        `Visits of ${CLIENTS} clients, each with a new browser, divided by the time until the last has ended.`,
    },
    visits_served: {
      title: "of 50 clients at once: served",
      unit: "count",
      limit: { atLeast: CLIENTS },
      definition: "Clients that received a response of a browser.",
    },
    visits_overtaken: {
      title: "of 50 clients at once: overtaken",
      unit: "count",
      limit: { atMost: 0 },
      definition: "Sessions that started after one that was created later.",
    },
    visits_after: {
      title: "the next single visit ÷ one before",
      unit: "ratio",
      limit: { atMost: 1.15 },
      definition:
        `Median of ${SINGLES} visits of one client right afterwards, divided by that before; each visit is itself a ratio to a bare launch beside it.`,
    },
  },
  async *measure() {
    const path = await requireBrowser();
    const source = await clientProgram("visits.mjs");
    for (let run = 0; run < MIN_RUNS; run++) {
      await using grid = await startGrid({
        args: ["--with-worker", "--worker-capacity", String(CAPACITY)],
      });
      const { stdout, stderr, code } = await runNode(source, [
        grid.connectUrl,
        path,
        ...[CLIENTS, BARE, CAPACITY, SINGLES].map(String),
      ]);
      if (code !== 0) throw new Error(stderr);
      const result = resultSchema.parse(JSON.parse(stdout));
      yield {
        visits_per_second: result.rate,
        visits_rate: result.rate / mean(result.bare),
        visits_served: result.served,
        visits_overtaken: await countOvertaken(grid.url),
        visits_after: relativeTime(result.after) / relativeTime(result.before),
      };
    }
  },
});

/** Counts the sessions of the 50 clients that started after one that was created later, or are missing. */
async function countOvertaken(apiUrl: string): Promise<number> {
  const client = createClient({ apiUrl });
  const { items } = await client.listSessions({
    label: "bench=visits",
    limit: CLIENTS,
  });
  if (items.length < CLIENTS) return CLIENTS - items.length;
  const inOrder = items.map(({ id }) => id).sort();
  const starts = await Promise.all(inOrder.map(async (id) => {
    const { items } = await client.listSessionEvents(id);
    const start = items.find(({ event }) => event === "session_starting");
    return Date.parse(start?.timestamp ?? "");
  }));
  return starts.filter((start, at) =>
    starts.slice(at).some((later) => later < start)
  ).length;
}

/** Returns the median time of single visits, each as a ratio to the bare one beside it. */
function relativeTime(pairs: readonly (readonly [number, number])[]): number {
  return quantile(pairs.map(([grid, bare]) => grid / bare), 0.5);
}
