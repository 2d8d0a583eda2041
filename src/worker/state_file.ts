import { hostname } from "node:os";
import { z } from "zod";

const stateSchema = z.strictObject({
  name: z.string(),
  secret: z.string(),
  /** Known once the worker has registered. */
  id: z.string().optional(),
  /** Sessions of the browsers that were started before them, by the session id under which the host knows the browser. */
  handed_over: z.record(z.string(), z.string()).optional(),
});

/** The identity of a worker, which makes it the same worker after a restart. */
export type WorkerState = z.infer<typeof stateSchema>;

/** A store of a worker's state. It belongs to one process at a time; disposal releases it. */
export interface StateStore extends AsyncDisposable {
  /** Returns the state; undefined if there is none or it is invalid, which makes a new worker. */
  read(): Promise<WorkerState | undefined>;
  /** Writes the state atomically: after a crash the store has the old or the new state. */
  write(state: WorkerState): Promise<void>;
}

/** A state file, locked by this process. The operating system releases the lock when the process ends. */
export class StateFile implements StateStore {
  readonly #path: string;
  readonly #lock: Deno.FsFile;

  private constructor(path: string, lock: Deno.FsFile) {
    this.#path = path;
    this.#lock = lock;
  }

  /**
   * Opens and locks the state file at `path`.
   *
   * @throws {Error} If another process on this host has it open.
   */
  static async open(path: string): Promise<StateFile> {
    const folder = path.slice(0, path.lastIndexOf("/"));
    await Deno.mkdir(folder, { recursive: true });
    const lock = await Deno.open(`${path}.lock`, { create: true, write: true });
    const isExclusive = true;
    if (!await lock.tryLock(isExclusive)) {
      lock.close();
      throw new Error(
        `Cannot start the worker: another process on this host runs the same worker, expected one; use another --worker-name or end the other process (its lock is "${path}.lock")`,
      );
    }
    return new StateFile(path, lock);
  }

  async read(): Promise<WorkerState | undefined> {
    try {
      return stateSchema.parse(
        JSON.parse(await Deno.readTextFile(this.#path)),
      );
    } catch {
      return undefined;
    }
  }

  /** Writes synchronously: a session waits for it, and two turns through the thread pool take longer than the write. */
  write(state: WorkerState): Promise<void> {
    const temporary = `${this.#path}.new`;
    return Promise.try(() => {
      Deno.writeTextFileSync(temporary, JSON.stringify(state), { mode: 0o600 });
      Deno.renameSync(temporary, this.#path);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#lock.close();
    return Promise.resolve();
  }
}

/** Identifies a worker's state on one host. */
export interface StateKey {
  /** Id or name of the work pool. */
  readonly workPoolId: string;
  readonly workerName?: string | undefined;
}

/** Identifies a new worker. */
export interface NewWorker extends StateKey {
  /** Id with which the worker registers. Workers with an id are many, and their hosts may have one name. */
  readonly workerId?: string | undefined;
}

/** Creates the state of a worker that has none. Its default name derives from its id, or else from its host and pool. */
export function createState(
  { workPoolId, workerName, workerId }: NewWorker,
): WorkerState {
  const base = workerId === undefined
    ? `${hostname()}-${workPoolId}`
    : `worker-${workerId.slice(-12)}`;
  const name = base.replaceAll(/[^\w.-]/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return {
    name: workerName ?? name.slice(0, 100),
    secret: crypto.randomUUID() + crypto.randomUUID(),
  };
}

/** Returns the path of a worker's state file in the data folder. Each pool and name has its own file. */
export function resolveStatePath(
  dataDir: string,
  { workPoolId, workerName }: StateKey,
): string {
  const name = [workPoolId, workerName ?? "default"].map(encodeURIComponent);
  return `${dataDir}/workers/${name.join("-")}.json`;
}
