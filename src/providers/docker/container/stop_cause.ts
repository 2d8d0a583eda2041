import type Docker from "dockerode";
import type { ContainerInspectInfo } from "dockerode";
import { callEngine } from "../engine/call_engine.ts";
import { engineStatus } from "../engine/engine_error.ts";
import { type Modem, readEngineResponse } from "../engine/stream_response.ts";

/** Timeout of the request for the engine's events. */
const TIMEOUT_MS = 5_000;

/**
 * Reports whether the engine has stopped a container that exited with 0: by `docker stop`, or because the engine itself
 * is being shut down, which is also assumed if it no longer responds. The engine keeps its last 256 events.
 */
export async function wasStoppedByEngine(
  container: Docker.Container,
  { ExitCode, StartedAt, FinishedAt }: ContainerInspectInfo["State"],
  signal: AbortSignal,
): Promise<boolean> {
  if (ExitCode !== 0) return false;
  const modem: Modem = container.modem;
  const filters = { container: [container.id], event: ["kill", "stop"] };
  const query = {
    since: formatSeconds(StartedAt),
    // In the past, so that the response ends.
    until: formatSeconds(FinishedAt),
    filters: JSON.stringify(filters),
  };
  try {
    const events = await callEngine(
      (abortSignal) =>
        readEngineResponse(modem, { path: "/events", query, abortSignal }),
      { signal, timeoutMs: TIMEOUT_MS },
    );
    return events.trim() !== "";
  } catch (error) {
    return engineStatus(error) === undefined;
  }
}

/** Formats a moment as seconds since the epoch, as the engine's API requires. */
function formatSeconds(moment: string): string {
  return (Date.parse(moment) / 1_000).toFixed(3);
}
