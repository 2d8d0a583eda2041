import { z } from "@hono/zod-openapi";

const stateSchema = z.strictObject({
  name: z.string(),
  secret: z.string(),
  /** Known once the worker has registered. */
  id: z.string().optional(),
  /** Browsers that were started before their session, by the id under which their host knows them. */
  handed_over: z.record(z.string(), z.string()).optional(),
});

/** What makes a restarted worker the same worker. */
export type WorkerState = z.infer<typeof stateSchema>;

/** Where a worker keeps its state. One process at a time has it; disposal gives it free. */
export interface StateStore extends AsyncDisposable {
  /** The state, or undefined if there is none or it cannot be understood: then it is a new worker. */
  read(): Promise<WorkerState | undefined>;
  /** Keeps the state so that a crash leaves the old or the new one, never half of it. */
  write(state: WorkerState): Promise<void>;
}

/**
 * Opens the state file at `path` for this process alone. The system frees it with the process, however that ends.
 *
 * @throws {Error} While another process of the same worker runs on this host.
 */
export async function openStateFile(path: string): Promise<StateStore> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  await Deno.mkdir(folder, { recursive: true });
  const lock = await Deno.open(`${path}.lock`, { create: true, write: true });
  const isExclusive = true;
  if (!await lock.tryLock(isExclusive)) {
    lock.close();
    throw new Error(
      `Cannot start the worker: another process here is the same worker, expected one; give this one another --worker-name, or end the other (its lock is "${path}.lock")`,
    );
  }
  return {
    read: () => readState(path),
    write: (state) => writeState(path, state),
    [Symbol.asyncDispose]() {
      lock.close();
      return Promise.resolve();
    },
  };
}

async function readState(path: string): Promise<WorkerState | undefined> {
  try {
    return stateSchema.parse(JSON.parse(await Deno.readTextFile(path)));
  } catch {
    return undefined;
  }
}

async function writeState(path: string, state: WorkerState): Promise<void> {
  const temporary = `${path}.new`;
  await Deno.writeTextFile(temporary, JSON.stringify(state), { mode: 0o600 });
  await Deno.rename(temporary, path);
}
