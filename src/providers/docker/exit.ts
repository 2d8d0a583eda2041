import type Docker from "dockerode";
import type { BrowserExit } from "../../core/provider.ts";
import { systemClock } from "../../core/clock.ts";
import { ask, engineStatus } from "./engine.ts";

/** Pause before an engine that does not answer is asked again. */
const RETRY_MS = 1_000;

/** Exit code of a process that SIGKILL ended. */
const KILLED = 137;

/**
 * Waits until a container has ended and tells why. Survives a restart of the engine.
 *
 * @param signal Ends the waiting; the promise then never settles.
 */
export async function watchExit(
  container: Docker.Container,
  wasStopped: () => boolean,
  signal: AbortSignal,
): Promise<BrowserExit> {
  while (!signal.aborted) {
    try {
      const { StatusCode } = await container.wait({ abortSignal: signal });
      return await explain(container, StatusCode, wasStopped());
    } catch (error) {
      if (engineStatus(error) === 404) return gone(wasStopped());
    }
    await systemClock.sleep(RETRY_MS, signal).catch(() => {});
  }
  return new Promise(() => {});
}

function gone(wasStopped: boolean): BrowserExit {
  return wasStopped
    ? { reason: "stopped", detail: "stopped" }
    : { reason: "crashed", detail: "the container was removed" };
}

async function explain(
  container: Docker.Container,
  exitCode: number,
  wasStopped: boolean,
): Promise<BrowserExit> {
  if (wasStopped) return { reason: "stopped", detail: "stopped" };
  if (exitCode === 0) {
    return { reason: "stopped", detail: "the browser closed itself" };
  }
  const state = await ask((abortSignal) => container.inspect({ abortSignal }))
    .then(({ State }) => State, () => undefined);
  if (state?.OOMKilled) {
    return {
      reason: "crashed",
      detail: "killed by the engine: out of memory",
    };
  }
  return {
    reason: "crashed",
    detail: exitCode === KILLED
      ? "killed (exit code 137)"
      : `exit code ${exitCode}`,
  };
}
