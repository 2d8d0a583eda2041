import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { START_FLAGS } from "../../.ci/run_flags.ts";
import { systemClock } from "../../src/async/clock.ts";
import type {
  Machine,
  MachineHost,
  MachineSpec,
} from "../../src/core/provider/machines.ts";
import {
  isRunning,
  type ProcessIdentity,
  readStartTime,
} from "../../src/providers/local/process/process_identity.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
const PLUGIN = fileURLToPath(new URL("./process_machines.ts", import.meta.url));

/** Pause between two checks of a file or a process. */
const POLL_MS = 20;

/** Options of {@linkcode ProcessMachineHost}. */
export interface ProcessMachineOptions {
  readonly folder: string;
  readonly poolId: string;
  /** While this file is there, starts come about and are not answered. */
  readonly holdFile?: string | undefined;
}

/**
 * Machines that are processes of `browsergrid worker` on this host. Each has a folder with its process id, so that every
 * server finds it, and it outlives the server that has started it.
 */
export class ProcessMachineHost implements MachineHost {
  readonly #folder: string;
  readonly #options: ProcessMachineOptions;

  constructor(options: ProcessMachineOptions) {
    this.#options = options;
    this.#folder = join(options.folder, options.poolId);
  }

  async start(machine: MachineSpec, signal: AbortSignal): Promise<void> {
    const folder = join(this.#folder, machine.workerId);
    await Deno.mkdir(this.#folder, { recursive: true });
    try {
      // Creates it only if no start with this id came before.
      await Deno.mkdir(folder);
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return;
      throw error;
    }
    const pid = this.#spawn(machine, folder);
    const identity = { pid, start_mark: await readStartTime(pid) ?? "" };
    await Deno.writeTextFile(
      join(folder, "process.json"),
      JSON.stringify(identity),
    );
    const { holdFile } = this.#options;
    while (holdFile !== undefined && await exists(holdFile)) {
      await systemClock.sleep(POLL_MS, signal);
    }
  }

  async list(): Promise<readonly Machine[]> {
    const ids = await this.#listIds();
    return await Promise.all(ids.map(async (workerId): Promise<Machine> => {
      const identity = await this.readProcess(workerId);
      if (!identity) return { workerId, status: "starting" };
      const status = await isRunning(identity) ? "running" : "ended";
      return { workerId, status, detail: "a process of the tests" };
    }));
  }

  async remove(workerId: string): Promise<void> {
    const identity = await this.readProcess(workerId);
    if (identity) await kill(identity);
    await Deno.remove(join(this.#folder, workerId), { recursive: true })
      .catch(() => {});
  }

  async logs(workerId: string): Promise<string> {
    return await Deno.readTextFile(join(this.#folder, workerId, "output"))
      .catch(() => "");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  /** Returns the process of a machine; undefined if it has none yet. */
  async readProcess(workerId: string): Promise<ProcessIdentity | undefined> {
    const path = join(this.#folder, workerId, "process.json");
    const text = await Deno.readTextFile(path).catch(() => "");
    return text === "" ? undefined : JSON.parse(text);
  }

  async #listIds(): Promise<readonly string[]> {
    const entries = await Array.fromAsync(Deno.readDir(this.#folder))
      .catch(() => []);
    return entries.map(({ name }) => name);
  }

  #spawn(machine: MachineSpec, folder: string): number {
    const { workerId, apiKey, capacity, serverUrl } = machine;
    const output = Deno.openSync(join(folder, "output"), {
      create: true,
      append: true,
    });
    output.close();
    const args = ["run", ...START_FLAGS, "--no-check", "--quiet", "-A", MAIN]
      .concat("worker", "--plugin", PLUGIN, "--worker-id", workerId)
      .concat("--work-pool-id", this.#options.poolId)
      .concat("--capacity", String(capacity), "--api-url", serverUrl)
      .concat("--reach", "direct", "--poll-interval", "1")
      .concat("--data-dir", join(folder, "data"));
    const child = spawn("sh", [
      "-c",
      'log=$1; shift; exec "$@" >>"$log" 2>&1',
      "sh",
      join(folder, "output"),
      Deno.execPath(),
      ...args,
    ], {
      detached: true,
      stdio: "ignore",
      env: {
        ...Deno.env.toObject(),
        ...(apiKey === undefined ? {} : { BROWSERGRID_API_KEY: apiKey }),
      },
    });
    child.unref();
    return child.pid ?? 0;
  }
}

/** Kills a process and waits until it is gone. */
export async function kill(identity: ProcessIdentity): Promise<void> {
  while (await isRunning(identity)) {
    Deno.kill(identity.pid, "SIGKILL");
    await systemClock.sleep(POLL_MS);
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
