import type Docker from "dockerode";
import type { ContainerInspectInfo } from "dockerode";
import { type Modem, readEngineResponse } from "../engine/stream_response.ts";
import { callEngine, engineStatus } from "../engine/engine.ts";

/** How long the engine may take to tell what it remembers. */
const TIMEOUT_MS = 5_000;

/**
 * Whether a container that has ended with 0 was told to: by `docker stop`, or because the engine itself is being ended,
 * which is also taken for it when it does not answer any more. The engine remembers its last 256 events.
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
    // In the past, so that the answer ends.
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

/** As the engine's API wants it. */
function formatSeconds(moment: string): string {
  return (Date.parse(moment) / 1_000).toFixed(3);
}
