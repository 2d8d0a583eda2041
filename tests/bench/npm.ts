import { createClient } from "../../src/client/client.ts";
import { cdpClient } from "../support/cdp_client.ts";
import { readFolderBytes } from "../support/folder_bytes.ts";
import {
  findNodeWithExecve,
  installNpmPackage,
  type NpmPackage,
} from "../support/npm_package.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { requireBrowser, startGrid } from "./bench_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import type { Figure } from "./figure.ts";
import { timeStart } from "./idle_memory.ts";
import { STARTS, timeStarts } from "./time_starts.ts";

const RUNS = 3;

const MB = 1_000_000;

/** The starts and the sizes of the npm package, with the limits of the source. */
export const benchmark = defineBenchmark({
  title: "The npm package",
  method:
    `The packed package, installed in an empty folder, and started by Node 22.15 or newer, whose process the program replaces: commands ${STARTS} times in each run, in turn with an empty program of Node. The first browser is started by \`npx\` with the packed file, whose packages npm has in its cache.`,
  figures: {
    npm_archive_size: sizeFigure("the packed file", { atMost: 5 }),
    npm_package_size: sizeFigure("the package, installed", "none"),
    npm_deno_size: sizeFigure("Deno, installed", "none"),
    npm_version_cpu: cpuFigure("--version", { atMost: 60 }),
    npm_help_cpu: cpuFigure("--help", { atMost: 100 }),
    npm_pool_list_cpu: cpuFigure("pool list", { atMost: 150 }),
    npm_node_cpu: cpuFigure("an empty Node beside", "none"),
    npm_ready: {
      title: "serve, until it is ready, npm",
      unit: "ms",
      limit: { atMost: 300 },
      definition: "As _serve, until it is ready_.",
    },
    npm_rss: {
      title: "memory, resident, npm",
      unit: "MB",
      limit: { atMost: 95 },
      definition: "As _memory, resident_.",
    },
    npm_first_browser: {
      title: "npx, until a browser answers",
      unit: "ms",
      limit: { atMost: 60_000 },
      definition:
        "From the start of `npx` to the result of an expression in a page of a new session.",
    },
  },
  async *measure() {
    await requireBrowser();
    await using npmPackage = await installNpmPackage();
    const { folder, archive, project } = npmPackage;
    const node = await findNodeWithExecve(`${folder}/node`);
    const command = [node, npmPackage.command];
    const modules = `${project}/node_modules`;
    const sizes = {
      npm_archive_size: (await Deno.stat(archive)).size / MB,
      npm_package_size: await readFolderBytes(`${modules}/browsergrid`) / MB,
      npm_deno_size: await readFolderBytes(`${modules}/@deno`) / MB,
    };
    await timeStart({ command });
    for (let run = 0; run < RUNS; run++) {
      const { ready, resident } = await timeStart({ command });
      yield {
        ...sizes,
        ...await timeCommands(command),
        npm_ready: ready,
        npm_rss: resident,
        npm_first_browser: await timeFirstBrowser(npmPackage),
      };
    }
  },
});

async function timeCommands(command: readonly string[]) {
  await using grid = await startGrid({ args: [], command });
  const time = async (
    command: readonly string[],
    ...args: readonly string[]
  ) => {
    const run = async () => {
      const env = { BROWSERGRID_API_URL: grid.url };
      const { code, stderr } = await runProgram(args, env, { command });
      if (code !== 0) throw new Error(stderr);
    };
    await run();
    return (await timeStarts(run)).cpu;
  };
  const [node = ""] = command;
  return {
    npm_version_cpu: await time(command, "--version"),
    npm_help_cpu: await time(command, "--help"),
    npm_pool_list_cpu: await time(command, "pool", "list"),
    npm_node_cpu: await time([node, "--eval", ""]),
  };
}

async function timeFirstBrowser(
  { archive, project, folder }: NpmPackage,
): Promise<number> {
  const startedAt = performance.now();
  // A signal to npx alone does not reach the program.
  const npx = [
    ...["setsid", "npm", "exec", "--prefix", project, "--yes"],
    ...["--ignore-scripts", "--package", archive, "--", "browsergrid"],
  ];
  const dataDir = `${folder}/${crypto.randomUUID()}`;
  await using program = startProgram(
    ["serve", "--with-worker", "--port", "0", "--data-dir", dataDir],
    {},
    { command: npx },
  );
  const [, apiUrl = ""] = await program.until(/API +(\S+)\/v1/);
  const client = createClient({ apiUrl });
  const session = await client.createSession({}, { waitSeconds: 60 });
  const [target] = await client.listSessionTargets(session.id);
  {
    const url = String(target?.["webSocketDebuggerUrl"]);
    await using page = await cdpClient(url);
    await page.evaluate("6 * 7");
  }
  const time = performance.now() - startedAt;
  await client.stopSession(session.id);
  Deno.kill(-program.pid, "SIGINT");
  return time;
}

function cpuFigure(command: string, limit: Figure["limit"]): Figure {
  return {
    title: `CPU of ${command}, npm`,
    unit: "ms",
    limit,
    definition: `User and system time of \`${command}\`, mean of ${STARTS}.`,
  };
}

function sizeFigure(name: string, limit: Figure["limit"]): Figure {
  return {
    title: `size of ${name}`,
    unit: "MB",
    limit,
    definition: `Bytes of the files of ${name}.`,
  };
}
