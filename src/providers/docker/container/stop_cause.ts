import type Docker from "dockerode";
import type { ContainerInspectInfo } from "dockerode";
import { callEngine } from "../engine/call_engine.ts";
import { engineStatus } from "../engine/engine_error.ts";
import { type Modem, readEngineResponse } from "../engine/stream_response.ts";

/** Timeout of the request for the engine's events. */
const TIMEOUT_MS = 5_000;

/**
 * Time after the end of a container in which the engine may record why it has stopped it: a busy one does so after the
 * container has ended. The response lasts until then.
 */
const RECORDED_MS = 500;

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
    since: formatSeconds(Date.parse(StartedAt)),
    until: formatSeconds(Date.parse(FinishedAt) + RECORDED_MS),
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

/** Formats a time in ms as seconds, as the engine's API requires. */
function formatSeconds(ms: number): string {
  return (ms / 1_000).toFixed(3);
}
