import { abortable } from "../../../async/abortable.ts";
import { systemClock } from "../../../async/clock.ts";
import { Watchdog } from "../../../async/watchdog.ts";
import { toReason } from "../api/api_error.ts";
import type { KubernetesClient } from "../api/client.ts";
import type { Pod } from "../api/objects.ts";
import type { PodState, PodWatch } from "../api/pod_watch.ts";
import type { PortForwards } from "../api/port_forward.ts";
import { readLogs } from "./logs.ts";
import { reachBrowser, type ReachedBrowser } from "./reach.ts";
import type { PodReaper } from "./reaper.ts";
import { readExit, readProgress, readPullFailure } from "./state.ts";
import { createOwnedSecret, type SessionPod } from "./template.ts";

/** Number of output lines in the error of a failed start. */
const LOG_LINES = 20;

/** Maximum wait of a failed start for the removal of its pod, which continues in the background. */
const CLEANUP_WAIT_MS = 5_000;

/** Timeout of the creation of a pod, which continues after the abort of a start. */
const CREATE_TIMEOUT_MS = 60_000;

/** Timeout of the request for the last warning about a pod that did not start in time. */
const WARNING_TIMEOUT_MS = 3_000;

/** A pod whose browser responds. */
export interface StartedPod extends ReachedBrowser {
  readonly pod: Pod;
}

/** Options of {@linkcode startPod} in addition to the pod's. */
export interface PodStartOptions {
  readonly client: KubernetesClient;
  readonly watch: PodWatch;
  readonly reaper: PodReaper;
  readonly forwards: PortForwards | undefined;
  /** Time limit until the pod has a node. */
  readonly scheduleTimeoutMs: number;
  /** Time limit until the browser responds. */
  readonly startTimeoutMs: number;
  readonly signal: AbortSignal;
  /** Aborted when the closed host no longer waits. */
  readonly abandoned: AbortSignal;
}

/**
 * Creates a pod and waits until its browser responds.
 *
 * @throws {Error} With the cluster's reason and the last output of the browser. The pod is deleted, if necessary in the
 *   background, and its secret with it.
 */
export async function startPod(
  { pod, secrets }: SessionPod,
  options: PodStartOptions,
): Promise<StartedPod> {
  const { client, signal, reaper, abandoned } = options;
  const { name = "", labels = {} } = pod.metadata ?? {};
  // Not aborted by `signal`: a late response of the server would leave an unknown pod.
  const creating = client.createPod(pod, {
    signal: abandoned,
    timeoutMs: CREATE_TIMEOUT_MS,
  });
  try {
    const created = await abortable(creating, signal);
    options.watch.add(created);
    // After the pod, which owns it: a worker that dies between both leaves only a pod, which the next sweep finds.
    // A kubelet takes longer to need it, and waits for it.
    if (Object.keys(secrets).length > 0) {
      await client.createSecret(createOwnedSecret(created, labels, secrets), {
        signal,
      });
    }
    return await waitUntilReady(created, options);
  } catch (error) {
    const logs = signal.aborted
      ? ""
      : await readLogs(client, name, LOG_LINES).catch(() => "");
    const waitMs = CLEANUP_WAIT_MS;
    await reaper.removePending({ name, creating, waitMs });
    await options.forwards?.close(name);
    if (signal.aborted) throw signal.reason;
    const [container] = pod.spec?.containers ?? [];
    throw new Error(
      `Cannot start a pod of image "${container?.image}": ${toReason(error)}${
        logs && `\n${logs}`
      }`,
      { cause: error },
    );
  }
}

async function waitUntilReady(
  created: Pod,
  options: PodStartOptions,
): Promise<StartedPod> {
  const { watch, signal, forwards, startTimeoutMs } = options;
  const lateAt = systemClock.monotonic() + startTimeoutMs;
  const running = await waitUntilRunning(created, options);
  const reached = await whileRunning(
    running,
    watch,
    signal,
    (signal) =>
      reachBrowser(running, forwards, {
        timeoutMs: Math.max(0, lateAt - systemClock.monotonic()),
        signal,
      }),
  );
  signal.throwIfAborted();
  return { pod: running, ...reached };
}

/** Waits until the container of a pod runs. @throws {Error} If it cannot run, or not in time, with the cluster's reason. */
async function waitUntilRunning(
  created: Pod,
  { client, watch, signal, scheduleTimeoutMs, startTimeoutMs }: PodStartOptions,
): Promise<Pod> {
  let step = "the cluster has not reported it yet";
  let pullFailure: string | undefined;
  const lateAt = systemClock.monotonic() + startTimeoutMs;
  let limitMs = Math.min(scheduleTimeoutMs, startTimeoutMs);
  using timeout = new Watchdog(
    limitMs,
    () =>
      `it did not start within ${limitMs / 1_000} s: ${
        watch.problem === undefined
          ? step
          : `its pod cannot be watched: ${watch.problem}`
      }`,
  );
  const select = (state: PodState): Pod | undefined => {
    const exit = readExit(state);
    if (exit !== undefined) throw new Error(`its pod ended: ${exit.detail}`);
    const progress = readProgress(state.last);
    pullFailure = readPullFailure(state.last) ?? pullFailure;
    if (progress.failure !== undefined) {
      throw new Error(
        pullFailure === undefined
          ? progress.failure
          : `image pull failed: ${pullFailure}`,
      );
    }
    if (progress.isScheduled) {
      limitMs = startTimeoutMs;
      timeout.feed(Math.max(0, lateAt - systemClock.monotonic()));
    }
    step = progress.step;
    return progress.isRunning ? state.last : undefined;
  };
  try {
    const either = AbortSignal.any([signal, timeout.signal]);
    return await watch.waitFor(created, select, either);
  } catch (error) {
    if (error !== timeout.signal.reason) throw error;
    const warning = await client.findWarning(created, {
      timeoutMs: WARNING_TIMEOUT_MS,
      retries: false,
    }).catch(() => undefined);
    if (warning === undefined) throw error;
    throw new Error(`${toReason(error)} (${warning})`, { cause: error });
  }
}

/** Runs `work` with a signal that is also aborted when the pod ends. */
export async function whileRunning<T>(
  pod: Pod,
  watch: PodWatch,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const watching = new AbortController();
  const ended = new AbortController();
  void watch.waitFor(pod, (state) => readExit(state), watching.signal)
    .then(
      ({ detail }) => ended.abort(new Error(`its browser ended: ${detail}`)),
      () => {}, // The work is done.
    );
  try {
    return await work(AbortSignal.any([signal, ended.signal]));
  } finally {
    watching.abort();
  }
}
