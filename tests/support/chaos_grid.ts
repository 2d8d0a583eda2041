import { join } from "node:path";
import type { PoolBody } from "../../src/client/client.ts";
import { createClient, type GridClient } from "../../src/client/client.ts";
import { findBrowser } from "../../src/providers/local/find_browser.ts";
import { readProcessStat } from "../../src/providers/local/process/process_stat.ts";
import { freePort } from "./free_port.ts";
import { type RunningProgram, startProgram } from "./program.ts";
import {
  type BrowserProcess,
  browserProcesses,
  endTraces,
  findTraces,
  type Trace,
  type TraceSources,
} from "./traces.ts";
import { within } from "./within.ts";

/** The lease of these grids; the shortest that a busy machine with few cores keeps. */
export const LEASE_SECONDS = 4;

/** Time beyond the lease for which the workers keep running browsers during a server outage. */
export const GRACE_SECONDS = 6;

/** Timeout for a program that ends without a signal. */
const EXIT_MS = 10_000;

const SETTINGS = {
  BROWSERGRID_LEASE_SECONDS: String(LEASE_SECONDS),
  BROWSERGRID_HEARTBEAT_SECONDS: "1",
  BROWSERGRID_SERVER_GRACE_SECONDS: String(GRACE_SECONDS),
};

/** Name of the pool of local browsers that every grid has. */
export const LOCAL = "local-browsers";

/** Options of a worker; the same options start the same worker again. */
export interface ChaosWorkerOptions {
  readonly pool?: string;
  readonly name?: string;
  readonly capacity?: number;
  /** URL of the server. @default The grid's first server. */
  readonly apiUrl?: string;
  /** Its data folder, if not one of its own below the grid's. */
  readonly dataDir?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A worker's process. */
export interface ChaosWorker {
  readonly id: string;
  readonly name: string;
  readonly process: RunningProgram;
  readonly options: ChaosWorkerOptions;
}

/** A further server. */
export interface ChaosServer {
  readonly url: string;
  readonly client: GridClient;
  readonly process: RunningProgram;
}

/**
 * A grid of real processes with short leases, whose parts can be killed. Disposal ends all of it, whatever state it is
 * in.
 */
export interface ChaosGrid extends AsyncDisposable {
  /** URL of the first server; the same after each of its starts. */
  readonly url: string;
  /** Talks to the first server. */
  readonly client: GridClient;
  /** The file of the servers' database. */
  readonly databasePath: string;
  /** While this file is there, no local browser goes beyond the first step of its start. */
  readonly holdFile: string;
  readonly workers: readonly ChaosWorker[];
  /** Process of the first server. */
  readonly server: RunningProgram;
  /** Starts the first server again, once it is gone. */
  startServer(): Promise<void>;
  /** Starts another server on the same database; it comes back to the same address. */
  startSecondServer(): Promise<ChaosServer>;
  startWorker(options?: ChaosWorkerOptions): Promise<ChaosWorker>;
  /** A worker's process, without waiting for it to be ready. */
  spawnWorker(options?: ChaosWorkerOptions): RunningProgram;
  /** Finds traces of this grid's browsers, running or ended, on this machine. */
  traces(): Promise<Trace[]>;
  /** The main processes of the sessions' local browsers. */
  browsers(): Promise<BrowserProcess[]>;
  /** Their ids. */
  browserPids(): Promise<number[]>;
}

/** Makes a grid with one server and no worker. */
export async function chaosGrid(
  { pools = [], env = {}, inspect = false }: {
    readonly pools?: readonly PoolBody[];
    readonly env?: Readonly<Record<string, string>>;
    /** True if the output of each program must name a debugger's URL. */
    readonly inspect?: boolean;
  } = {},
): Promise<ChaosGrid> {
  await using stack = new AsyncDisposableStack();
  // Short: browsers put sockets below it, whose paths may have no more than 107 bytes.
  const root = await Deno.makeTempDir({ prefix: "bg-" });
  stack.defer(() => Deno.remove(root, { recursive: true }));
  const temporaryDir = join(root, "t");
  await Deno.mkdir(temporaryDir);
  const holdFile = join(root, "hold");
  const executable = await holdableBrowser(join(root, "browser"), holdFile);
  const port = freePort();
  const secondPort = freePort();
  const url = `http://127.0.0.1:${port}`;
  const workers = new Map<string, ChaosWorker>();
  const workerDirs = new Set<string>();
  const sources = (): TraceSources => ({
    workerDirs: [...workerDirs],
    temporaryDir,
    workerIds: [...workers.values()].map(({ id }) => id),
  });
  stack.defer(() => endTraces(sources()));
  const programs = stack.use(new AsyncDisposableStack());

  function start(
    args: readonly string[],
    more: Readonly<Record<string, string>> = {},
  ): RunningProgram {
    const program = startProgram(args, {
      ...SETTINGS,
      TMPDIR: temporaryDir,
      ...env,
      ...more,
    }, { inspect });
    programs.defer(async () => {
      signal(program, "SIGKILL");
      await program[Symbol.asyncDispose]();
    });
    return program;
  }

  function toWorkerDir(
    { pool = LOCAL, name = "worker", dataDir }: ChaosWorkerOptions,
  ) {
    return dataDir ?? join(root, `${pool}-${name}`);
  }

  function spawnWorker(options: ChaosWorkerOptions = {}): RunningProgram {
    const { pool = LOCAL, name = "worker", capacity = 2, apiUrl = url } =
      options;
    workerDirs.add(toWorkerDir(options));
    return start(
      ["worker", "--work-pool-id", pool, "--worker-name", name]
        .concat("--capacity", String(capacity), "--api-url", apiUrl)
        .concat("--poll-interval", "1", "--data-dir", toWorkerDir(options)),
      options.env,
    );
  }

  async function serve(at: number): Promise<RunningProgram> {
    const program = start(
      ["serve", "--port", String(at), "--data-dir", join(root, "server")],
    );
    await program.until(/is ready/);
    return program;
  }

  async function browsers(): Promise<BrowserProcess[]> {
    const found = await browserProcesses([...workerDirs]);
    const first = found.filter(({ commandLine }) =>
      !commandLine.includes("--type=")
    );
    // A process that a browser has just forked still has its command line.
    const pids = new Set(first.map(({ pid }) => pid));
    return first.filter(({ pid }) =>
      !pids.has(readProcessStat(pid)?.parent ?? 0)
    );
  }

  let server = await serve(port);
  const grid: ChaosGrid = {
    url,
    client: createClient({ apiUrl: url }),
    databasePath: join(root, "server", "browsergrid.db"),
    holdFile,
    get workers() {
      return [...workers.values()];
    },
    get server() {
      return server;
    },
    async startServer() {
      server = await serve(port);
    },
    async startSecondServer() {
      const url = `http://127.0.0.1:${secondPort}`;
      const process = await serve(secondPort);
      return { url, client: createClient({ apiUrl: url }), process };
    },
    spawnWorker,
    async startWorker(options = {}) {
      const process = spawnWorker(options);
      const [, name = "", id = ""] = await process.until(
        /Worker (\S+) \((\S+)\) serves/,
      );
      const worker = { id, name, process, options };
      workers.set(id, worker);
      return worker;
    },
    traces: () => findTraces(sources()),
    browsers: () => browsers(),
    browserPids: async () => (await browsers()).map(({ pid }) => pid),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  await grid.client.createPool({
    name: LOCAL,
    provider_type: "local",
    default_headless: true,
    provider_config: { executable_path: executable },
  });
  for (const pool of pools) await grid.client.createPool(pool);
  const owned = stack.move();
  return grid;
}

/** Sends a signal to a program that may have ended. */
export function signal(program: RunningProgram, name: Deno.Signal): void {
  try {
    program.kill(name);
  } catch {
    // It has ended.
  }
}

/** Ends a program as an accident would, and waits until it is gone. */
export async function kill(...programs: RunningProgram[]): Promise<void> {
  for (const program of programs) signal(program, "SIGKILL");
  await Promise.all(programs.map(({ status }) => status));
}

/**
 * Waits until a program ends without a signal, and returns its exit code. @throws {Error} With its output, after 10 s.
 */
export async function waitForExit(program: RunningProgram): Promise<number> {
  const what = `the program ends:\n${program.output()}`;
  return (await within(program.status, { what, ms: EXIT_MS })).code;
}

/** A program that waits while the file `hold` is there, and then is the browser. */
async function holdableBrowser(path: string, hold: string): Promise<string> {
  const found = await findBrowser(undefined);
  if (!found) {
    throw new Error("Cannot start a grid: no Chrome or Chromium here");
  }
  await Deno.writeTextFile(
    path,
    `#!/bin/sh\nwhile [ -e "${hold}" ]; do sleep 0.1; done\nexec "${found.path}" "$@"\n`,
    { mode: 0o700 },
  );
  return path;
}
