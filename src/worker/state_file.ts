import { z } from "@hono/zod-openapi";

const stateSchema = z.strictObject({
  name: z.string(),
  secret: z.string(),
  /** Known once the worker has registered. */
  id: z.string().optional(),
});

/** What makes a restarted worker the same worker. */
export type WorkerState = z.infer<typeof stateSchema>;

/** Reads the state, or undefined if there is none or it cannot be understood: then it is a new worker. */
export async function readState(
  path: string,
): Promise<WorkerState | undefined> {
  try {
    return stateSchema.parse(JSON.parse(await Deno.readTextFile(path)));
  } catch {
    return undefined;
  }
}

/** Writes the state so that a crash leaves the old or the new one, never half of it. */
export async function writeState(
  path: string,
  state: WorkerState,
): Promise<void> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  await Deno.mkdir(folder, { recursive: true });
  const temporary = `${path}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(temporary, JSON.stringify(state), { mode: 0o600 });
  await Deno.rename(temporary, path);
}
