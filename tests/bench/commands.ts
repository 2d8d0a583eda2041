import { runProgram } from "../support/program.ts";
import { startGrid } from "./bench_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import type { Figure, Limit } from "./figure.ts";
import { floorCommand } from "./floors/start_floor.ts";
import { STARTS, timeStarts } from "./time_starts.ts";

const RUNS = 7;

/** The CPU time and the duration of commands from source. */
export const benchmark = defineBenchmark({
  title: "Commands",
  method:
    `Each command is started ${STARTS} times from source, in turn with an empty program and with one that only loads the parser of command lines, after a start that warms the caches.`,
  figures: {
    version_cpu: cpuFigure("--version", { atMost: 60 }),
    help_cpu: cpuFigure("--help", { atMost: 100 }),
    pool_list_cpu: cpuFigure("pool list", { atMost: 150 }),
    empty_program_cpu: cpuFigure("an empty program beside", "none"),
    commander_cpu: cpuFigure("loading commander beside", "none"),
    version_time: timeFigure("--version"),
    help_time: timeFigure("--help"),
    pool_list_time: timeFigure("pool list"),
  },
  async *measure() {
    await using grid = await startGrid({ args: [] });
    const command = (...args: readonly string[]) => async () => {
      const { code, stderr } = await runProgram(args, {
        BROWSERGRID_API_URL: grid.url,
      });
      if (code !== 0) throw new Error(stderr);
    };
    const programs = {
      version: command("--version"),
      help: command("--help"),
      pools: command("pool", "list"),
      empty: () => runFloor("empty.ts"),
      commander: () => runFloor("commander.ts"),
    };
    for (const start of Object.values(programs)) await start();
    for (let run = 0; run < RUNS; run++) {
      const version = await timeStarts(programs.version);
      const help = await timeStarts(programs.help);
      const pools = await timeStarts(programs.pools);
      yield {
        version_cpu: version.cpu,
        help_cpu: help.cpu,
        pool_list_cpu: pools.cpu,
        empty_program_cpu: (await timeStarts(programs.empty)).cpu,
        commander_cpu: (await timeStarts(programs.commander)).cpu,
        version_time: version.wall,
        help_time: help.wall,
        pool_list_time: pools.wall,
      };
    }
  },
});

function cpuFigure(name: string, limit: Limit): Figure {
  return {
    title: `CPU of ${name}`,
    unit: "ms",
    limit,
    definition: `User and system time, mean of ${STARTS} starts.`,
  };
}

function timeFigure(name: string): Figure {
  return {
    title: `time of ${name}`,
    unit: "ms",
    limit: "none",
    definition: `Time from the start to the end, median of ${STARTS}.`,
  };
}

async function runFloor(program: string): Promise<void> {
  const [command, ...args] = floorCommand(program);
  await new Deno.Command(command, { args }).output();
}
