import { join } from "node:path";
import { bundle } from "../../.ci/bundle.ts";
import { runProgram } from "../support/program.ts";
import { requireBrowser, startGrid } from "./bench_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import type { Figure } from "./figure.ts";
import { measureMemory, SETTLE_MS, timeStart } from "./idle_memory.ts";
import { STARTS, timeStarts } from "./time_starts.ts";

const RUNS = 5;

/** The starts and the memory of the bundle, with the limits of the source. */
export const benchmark = defineBenchmark({
  title: "The bundle",
  method:
    `The bundle that every way to install the program runs, started like the source in the two tables above: commands ${STARTS} times in each run.`,
  figures: {
    bundle_size: {
      title: "size of its files",
      unit: "MB",
      limit: { atMost: 8 },
      definition: "All modules of the bundle, without Deno.",
    },
    bundle_version_cpu: cpuFigure("--version", 60),
    bundle_help_cpu: cpuFigure("--help", 100),
    bundle_pool_list_cpu: cpuFigure("pool list", 150),
    bundle_ready: {
      title: "serve, until it is ready, bundle",
      unit: "ms",
      limit: { atMost: 300 },
      definition: "As _serve, until it is ready_.",
    },
    bundle_rss: memoryFigure("memory, resident", 95),
    bundle_pss: memoryFigure("memory, its share", 70),
    bundle_worker_pss: memoryFigure("memory with a worker, its share", 80),
  },
  async *measure() {
    await requireBrowser();
    const folder = await Deno.makeTempDir({ prefix: "browsergrid-bundle-" });
    try {
      const { main, bytes } = await bundle(join(folder, "bundle"));
      const program = { bundle: main };
      await timeStart(program);
      for (let run = 0; run < RUNS; run++) {
        const { ready, resident, share } = await timeStart(program);
        yield {
          bundle_size: bytes / 1_000_000,
          ...await timeCommands(main),
          bundle_ready: ready,
          bundle_rss: resident,
          bundle_pss: share,
          bundle_worker_pss: await measureMemory(program),
        };
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function timeCommands(main: string) {
  await using grid = await startGrid({ args: [], bundle: main });
  const time = async (...args: readonly string[]) => {
    const run = async () => {
      const env = { BROWSERGRID_API_URL: grid.url };
      const { code, stderr } = await runProgram(args, env, { bundle: main });
      if (code !== 0) throw new Error(stderr);
    };
    await run();
    return (await timeStarts(run)).cpu;
  };
  return {
    bundle_version_cpu: await time("--version"),
    bundle_help_cpu: await time("--help"),
    bundle_pool_list_cpu: await time("pool", "list"),
  };
}

function cpuFigure(command: string, atMost: number): Figure {
  return {
    title: `CPU of ${command}, bundle`,
    unit: "ms",
    limit: { atMost },
    definition: `User and system time of \`${command}\`, mean of ${STARTS}.`,
  };
}

function memoryFigure(title: string, atMost: number): Figure {
  return {
    title: `${title}, bundle`,
    unit: "MB",
    limit: { atMost },
    definition: `The same of the bundle, ${
      SETTLE_MS / 1_000
    } s after its start.`,
  };
}
