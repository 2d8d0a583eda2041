/**
 * Detection and explanation of a container's end.
 *
 * ```text
 * wait --ended--> inspect --not running--> explain
 *  ^ +-broken, or a minute-> inspect |
 *  +----------running----------------+
 * ```
 *
 * The engine may be restarted during the wait. Without live-restore it then stops its containers, and Chromium exits
 * with 0 when it is asked to close. The exit code alone therefore does not distinguish this from a close by the client.
 *
 * @see {@link https://docs.docker.com/engine/daemon/live-restore/ Live restore}
 * @module
 */
import type Docker from "dockerode";
import type { ContainerInspectInfo } from "dockerode";
import { systemClock } from "../../../async/clock.ts";
import { deadline } from "../../../async/deadline.ts";
import type { BrowserExit } from "../../../core/provider.ts";
import { callEngine } from "../engine/call_engine.ts";
import { engineStatus } from "../engine/engine_error.ts";
import { type Modem, readEngineResponse } from "../engine/stream_response.ts";
import { wasStoppedByEngine } from "./stop_cause.ts";

/** Pause before the next request to an engine that does not respond. */
const RETRY_MS = 1_000;

/** Maximum wait on one connection, which may be dead without an error. */
const WAIT_MS = 60_000;

/** Timeout of the request for the state of a container. */
const INSPECT_TIMEOUT_MS = 10_000;

/** Exit code after SIGKILL. */
const KILLED = 137;

/** Causes of an end other than the browser itself. */
const ENGINE_UNAVAILABLE = "while the Docker engine was restarted or away";

const BY_ENGINE = "ended by the Docker engine";

type State = ContainerInspectInfo["State"];

/**
 * Waits until a container has ended and returns the reason. Survives a restart of the engine.
 *
 * @param signal Ends the wait. The promise then never settles.
 */
export async function watchExit(
  container: Docker.Container,
  wasStopped: () => boolean,
  signal: AbortSignal,
): Promise<BrowserExit> {
  while (!signal.aborted) {
    const isConnected = await waitForEnd(container, signal);
    const seen = await readState(container, signal);
    const wasUnavailable = !isConnected || seen.wasUnavailable;
    if (signal.aborted) break;
    if (wasStopped()) return { reason: "stopped", detail: "stopped" };
    if (!seen.state) return toRemovedExit(wasUnavailable);
    if (!seen.state.Running) {
      if (wasUnavailable) return toBrowserExit(seen.state, ENGINE_UNAVAILABLE);
      const cause = await wasStoppedByEngine(container, seen.state, signal)
        ? BY_ENGINE
        : undefined;
      if (signal.aborted) break;
      return toBrowserExit(seen.state, cause);
    }
    await systemClock.sleep(RETRY_MS, signal).catch(() => {});
  }
  return new Promise(() => {});
}

/** Resolves when the container has ended, or after a minute; with false if the connection broke. */
async function waitForEnd(
  container: Docker.Container,
  signal: AbortSignal,
): Promise<boolean> {
  using timeout = deadline(systemClock, WAIT_MS, signal);
  const modem: Modem = container.modem;
  try {
    await readEngineResponse(modem, {
      method: "POST",
      path: `/containers/${container.id}/wait`,
      abortSignal: timeout.signal,
    });
    return true;
  } catch (error) {
    return timeout.signal.aborted || engineStatus(error) !== undefined;
  }
}

/** Returns the state of a container, undefined if it was removed. Repeats the request until the engine responds. */
async function readState(
  container: Docker.Container,
  signal: AbortSignal,
): Promise<{ readonly state?: State; readonly wasUnavailable: boolean }> {
  for (let wasUnavailable = false; !signal.aborted; wasUnavailable = true) {
    try {
      const { State: state } = await callEngine(
        (abortSignal) => container.inspect({ abortSignal }),
        { signal, timeoutMs: INSPECT_TIMEOUT_MS },
      );
      return { state, wasUnavailable };
    } catch (error) {
      if (engineStatus(error) === 404) return { wasUnavailable };
    }
    await systemClock.sleep(RETRY_MS, signal).catch(() => {});
  }
  return { wasUnavailable: true };
}

function toRemovedExit(wasUnavailable: boolean): BrowserExit {
  return toCrash(
    `the container was removed${
      wasUnavailable ? `, ${ENGINE_UNAVAILABLE}` : ""
    }`,
  );
}

/** @param cause Cause of the end other than the browser itself. */
function toBrowserExit(
  { ExitCode, OOMKilled }: State,
  cause?: string,
): BrowserExit {
  if (OOMKilled) return toCrash("killed by the engine: out of memory");
  if (ExitCode === 0 && cause === undefined) {
    return { reason: "stopped", detail: "the browser closed itself" };
  }
  const code = ExitCode === KILLED
    ? "killed (exit code 137)"
    : `exit code ${ExitCode}`;
  return toCrash(cause === undefined ? code : `${code}, ${cause}`);
}

function toCrash(detail: string): BrowserExit {
  return { reason: "crashed", detail };
}
