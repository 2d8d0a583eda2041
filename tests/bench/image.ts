import { dockerMissing } from "../support/docker.ts";
import {
  callDocker,
  openProgramImage,
  untilHealthy,
} from "../support/program_image.ts";
import { defineBenchmark } from "./benchmark.ts";
import type { Figure } from "./figure.ts";
import { STARTS } from "./time_starts.ts";

const RUNS = 3;

const KEY = "key-of-the-benchmark-0123456789";

/** Prints user and system time of several starts of a command, in seconds. */
const TIME_COMMAND =
  `TIMEFORMAT='%U %S'; browsergrid "$@" >/dev/null && time for i in $(seq ${STARTS}); do browsergrid "$@" >/dev/null; done`;

/** Prints the time of a start of a server in microseconds. */
const TIME_START = `start=\${EPOCHREALTIME/./}
coproc browsergrid serve --port 8766 --data-dir "$(mktemp -d)" 2>/dev/null
while read -r line <&"\${COPROC[0]}"; do
  case $line in *API*) break ;; esac
done
echo "$((\${EPOCHREALTIME/./} - start))"
kill "$COPROC_PID"`;

/** The starts of the program in its image, with the limits of the source. */
export const benchmark = defineBenchmark({
  title: "The container image",
  method:
    `The program in a container of the image, measured from within it: commands ${STARTS} times in each run, after a start that warms the caches.`,
  figures: {
    image_version_cpu: cpuFigure("--version", 60),
    image_help_cpu: cpuFigure("--help", 100),
    image_pool_list_cpu: cpuFigure("pool list", 150),
    image_ready: {
      title: "serve, until it is ready, image",
      unit: "ms",
      limit: { atMost: 300 },
      definition:
        "From the start of `serve` to its address in its output, without the start of a container.",
    },
  },
  async *measure() {
    if (dockerMissing !== undefined) throw new Error(dockerMissing);
    await using image = await openProgramImage();
    const container = await image.start(
      ["--env", `BROWSERGRID_API_KEY=${KEY}`],
      "serve",
    );
    await untilHealthy(container);
    const run = (script: string, ...args: readonly string[]) =>
      callDocker(
        "exec",
        container,
        "bash",
        "-c",
        `exec 2>&1; ${script}`,
        "bash",
        ...args,
      );
    const time = async (...args: readonly string[]) => {
      const times = (await run(TIME_COMMAND, ...args)).split(" ").map(Number);
      return times.reduce((sum, each) => sum + each, 0) * 1_000 / STARTS;
    };
    await run(TIME_START);
    for (let count = 0; count < RUNS; count++) {
      yield {
        image_version_cpu: await time("--version"),
        image_help_cpu: await time("--help"),
        image_pool_list_cpu: await time("pool", "list"),
        image_ready: Number(await run(TIME_START)) / 1_000,
      };
    }
  },
});

function cpuFigure(command: string, atMost: number): Figure {
  return {
    title: `CPU of ${command}, image`,
    unit: "ms",
    limit: { atMost },
    definition: `User and system time of \`${command}\`, mean of ${STARTS}.`,
  };
}
