import { requireBrowser } from "./bench_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import { measureMemory, SETTLE_MS, timeStart } from "./idle_memory.ts";

const RUNS = 7;

const SETTLED = `${SETTLE_MS / 1_000} s after the start`;

/** An idle server: the time until it is ready, and its memory, alone and with a worker. */
export const benchmark = defineBenchmark({
  title: "An idle server",
  method:
    `\`serve\` from source is started ${RUNS} times without a worker and ${RUNS} times with one, after a start that warms the caches.`,
  figures: {
    serve_ready: {
      title: "serve, until it is ready",
      unit: "ms",
      limit: { atMost: 300 },
      definition:
        "Time from the start of the process, with an empty data folder, to a response of `/ready`.",
    },
    serve_rss: {
      title: "memory of serve, resident",
      unit: "MB",
      limit: { atMost: 95 },
      definition: `Resident memory (RSS) ${SETTLED}.`,
    },
    serve_pss: {
      title: "memory of serve, its share",
      unit: "MB",
      limit: { atMost: 70 },
      definition:
        `Proportional set size (PSS) ${SETTLED}: pages that several processes share, such as those of the runtime, count in part. The benchmark shares them.`,
    },
    serve_worker_pss: {
      title: "memory of serve with a worker, its share",
      unit: "MB",
      limit: { atMost: 80 },
      definition: "The same with an embedded worker that has no session.",
    },
  },
  async *measure() {
    await requireBrowser();
    await timeStart();
    for (let run = 0; run < RUNS; run++) {
      const { ready, resident, share } = await timeStart();
      yield {
        serve_ready: ready,
        serve_rss: resident,
        serve_pss: share,
        serve_worker_pss: await measureMemory(),
      };
    }
  },
});
