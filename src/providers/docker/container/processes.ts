import { z } from "zod";
import type Docker from "dockerode";
import {
  type BrowserProcess,
  parseProcessType,
} from "../../kit/process_faults.ts";
import { callEngine } from "../engine/call_engine.ts";

/** Timeout of the list, which is optional. */
const TIMEOUT_MS = 5_000;

/** Columns of the engine's `ps`. The engine itself needs the column "PID". */
const COLUMNS = "-eo pid,ppid,stat,args";
const TITLES = ["PID", "PPID", "STAT", "COMMAND"];

/** The engine's response: the titles of its `ps`, and a row for each process of the container. */
const topSchema = z.object({
  Titles: z.array(z.string()),
  Processes: z.array(z.array(z.string())),
});

/**
 * Returns the processes of a container, with their ids on the engine's host; undefined if the engine does not list
 * them,
 * because it is busy, has another `ps`, or the container has ended. One request, for which the engine runs `ps`.
 */
export async function listContainerProcesses(
  container: Docker.Container,
  signal: AbortSignal,
): Promise<readonly BrowserProcess[] | undefined> {
  try {
    const response: unknown = await callEngine(
      (abortSignal) => container.top({ ps_args: COLUMNS, abortSignal }),
      { signal, timeoutMs: TIMEOUT_MS },
    );
    return parseProcesses(response);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** @throws {z.ZodError} If the response is not a list of processes. */
function parseProcesses(
  response: unknown,
): readonly BrowserProcess[] | undefined {
  const { Titles: titles, Processes: rows } = topSchema.parse(response);
  const places = TITLES.map((title) => titles.indexOf(title));
  if (places.includes(-1)) return undefined;
  return rows.map((row) => {
    const [pid, parent, state = "", command = ""] = places.map((at) => row[at]);
    return {
      pid: Number(pid),
      parent: Number(parent),
      // Further letters describe priority, threads and sessions.
      state: state.charAt(0),
      type: parseProcessType(command),
    };
  });
}
