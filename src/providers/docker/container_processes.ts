import type Docker from "dockerode";
import { z } from "@hono/zod-openapi";
import { type BrowserProcess, processType } from "../kit/process_faults.ts";
import { ask } from "./engine.ts";

/** A list that takes longer is done without. */
const TIMEOUT_MS = 5_000;

/** What the engine's `ps` is told to list; the engine reads the number of the process from the column "PID". */
const COLUMNS = "-eo pid,ppid,stat,args";
const TITLES = ["PID", "PPID", "STAT", "COMMAND"];

/** The engine repeats the titles of its `ps` and gives a row for each process of the container. */
const topSchema = z.object({
  Titles: z.array(z.string()),
  Processes: z.array(z.array(z.string())),
});

/**
 * Returns the processes of a container, with their numbers on the engine's host; undefined if the engine does not list
 * them: it is busy, has another `ps`, or the container has ended. One request, for which the engine runs `ps`.
 */
export async function containerProcesses(
  container: Docker.Container,
  signal: AbortSignal,
): Promise<readonly BrowserProcess[] | undefined> {
  try {
    const answer: unknown = await ask(
      (abortSignal) => container.top({ ps_args: COLUMNS, abortSignal }),
      { signal, timeoutMs: TIMEOUT_MS },
    );
    return processesIn(answer);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** @throws {z.ZodError} If it is no list of processes. */
function processesIn(answer: unknown): readonly BrowserProcess[] | undefined {
  const { Titles: titles, Processes: rows } = topSchema.parse(answer);
  const places = TITLES.map((title) => titles.indexOf(title));
  if (places.includes(-1)) return undefined;
  return rows.map((row) => {
    const [pid, parent, state = "", command = ""] = places.map((at) => row[at]);
    return {
      pid: Number(pid),
      parent: Number(parent),
      // Letters after the first tell of priority, threads and sessions.
      state: state.charAt(0),
      type: processType(command),
    };
  });
}
