/**
 * How a container's end is noticed and explained.
 *
 * ```text
 * wait ──ended──▶ inspect ──not running──▶ explain
 *  ▲ └─broken, or a minute─▶ inspect │
 *  └──────────running────────────────┘
 * ```
 *
 * The engine may be restarted meanwhile. Unless it has live-restore it then ends its containers, and Chromium ends with
 * 0 when it is asked to: an exit code alone does not tell such an end from one by the client.
 *
 * @see {@link https://docs.docker.com/engine/daemon/live-restore/ Live restore}
 * @module
 */
import type Docker from "dockerode";
import type { ContainerInspectInfo } from "dockerode";
import type { BrowserExit } from "../../../core/provider.ts";
import { systemClock } from "../../../async/clock.ts";
import { deadline } from "../../../async/deadline.ts";
import { type Modem, readEngineResponse } from "../engine/stream_response.ts";
import { callEngine, engineStatus } from "../engine/engine.ts";
import { wasStoppedByEngine } from "./stop_cause.ts";

/** Pause before an engine that does not answer is asked again. */
const RETRY_MS = 1_000;

/** Longest wait on one connection, which may have died without a word. */
const WAIT_MS = 60_000;

/** How long the engine may take to tell the state of a container. */
const INSPECT_TIMEOUT_MS = 10_000;

/** Exit code of a process that SIGKILL ended. */
const KILLED = 137;

const AWAY = "while the Docker engine was restarted or away";

const BY_ENGINE = "ended by the Docker engine";

type State = ContainerInspectInfo["State"];

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
    const isConnected = await waitForEnd(container, signal);
    const seen = await readState(container, signal);
    const wasAway = !isConnected || seen.wasAway;
    if (signal.aborted) break;
    if (wasStopped()) return { reason: "stopped", detail: "stopped" };
    if (!seen.state) return toRemovedExit(wasAway);
    if (!seen.state.Running) {
      if (wasAway) return toBrowserExit(seen.state, AWAY);
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

/** Resolves when the container has ended, or after a while; with false when the connection has broken meanwhile. */
async function waitForEnd(
  container: Docker.Container,
  signal: AbortSignal,
): Promise<boolean> {
  using patience = deadline(systemClock, WAIT_MS, signal);
  const modem: Modem = container.modem;
  try {
    await readEngineResponse(modem, {
      method: "POST",
      path: `/containers/${container.id}/wait`,
      abortSignal: patience.signal,
    });
    return true;
  } catch (error) {
    return patience.signal.aborted || engineStatus(error) !== undefined;
  }
}

/** The state of a container, undefined if there is none; an engine that does not answer is asked until it does. */
async function readState(
  container: Docker.Container,
  signal: AbortSignal,
): Promise<{ readonly state?: State; readonly wasAway: boolean }> {
  for (let wasAway = false; !signal.aborted; wasAway = true) {
    try {
      const { State: state } = await callEngine(
        (abortSignal) => container.inspect({ abortSignal }),
        { signal, timeoutMs: INSPECT_TIMEOUT_MS },
      );
      return { state, wasAway };
    } catch (error) {
      if (engineStatus(error) === 404) return { wasAway };
    }
    await systemClock.sleep(RETRY_MS, signal).catch(() => {});
  }
  return { wasAway: true };
}

function toRemovedExit(wasAway: boolean): BrowserExit {
  return toCrash(`the container was removed${wasAway ? `, ${AWAY}` : ""}`);
}

/** @param cause What ended it besides the browser. */
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
