import { hostname } from "node:os";
import { ApiError } from "../client/api_error.ts";
import type { Registration } from "../client/client.ts";
import { deadline } from "../async/deadline.ts";
import { createLogger } from "../core/log.ts";
import type { WorkerState } from "./state_file.ts";
import type { Reach, WorkerOptions } from "./worker.ts";

const log = createLogger("worker", "register");

/** Longest wait for an answer: one that is lost must not end the waiting for a server. */
const RESPONSE_TIMEOUT_MS = 10_000;

/** Longest pause between tries to reach the server. */
const MAX_PAUSE_MS = 5_000;

/** What people are told of the worker's host. */
export const HOST_DETAILS: Readonly<Record<string, string>> = {
  hostname: hostname(),
  os: Deno.build.os,
};

/** A registration that was answered. */
export interface TimedRegistration {
  readonly registration: Registration;
  /** Moment of the worker's monotonic clock when it was asked for: leases count from it. */
  readonly sentAt: number;
}

/**
 * Registers; waits for a server that is not there yet, or cannot answer now.
 *
 * @throws {ApiError} When the server refuses the worker.
 */
export async function register(
  { client, clock, signal, ...options }: WorkerOptions,
  state: WorkerState,
  instanceId: string,
): Promise<TimedRegistration> {
  const id = options.workerId ?? state.id;
  const body = {
    ...(id === undefined ? {} : { id }),
    name: state.name,
    secret: state.secret,
    instance_id: instanceId,
    work_pool_id: options.workPoolId,
    capacity: options.capacity,
    version: options.version,
    reach: resolveReach(options),
    provider_details: HOST_DETAILS,
  };
  for (let tries = 0;; tries++) {
    using patience = deadline(
      clock,
      RESPONSE_TIMEOUT_MS,
      ...(signal ? [signal] : []),
    );
    try {
      const sentAt = clock.monotonic();
      const { signal } = patience;
      const registration = await client.registerWorker(body, { signal });
      return { registration, sentAt };
    } catch (error) {
      signal?.throwIfAborted();
      if (!patience.signal.aborted && !isTransient(error)) throw error;
      if (tries === 0) log.warn("Waiting for the server: {error}", { error });
      const pause = Math.min(MAX_PAUSE_MS, 100 * 2 ** tries);
      await clock.sleep(pause * (0.5 + Math.random() / 2), signal);
    }
  }
}

/** How the worker asks to be reached. */
export function resolveReach(
  { reach = "auto", openTunnel }: Pick<WorkerOptions, "reach" | "openTunnel">,
): Reach {
  return openTunnel ? reach : "direct";
}

/** Whether another try may succeed: no answer, or one that says "later". */
function isTransient(error: unknown): boolean {
  return error instanceof ApiError &&
    (error.status === 0 || error.status >= 500 || error.status === 429);
}

/** The state of a worker at its first start. */
export function createState(
  { workerName, workPoolId }: Pick<WorkerOptions, "workerName" | "workPoolId">,
): WorkerState {
  const base = `${hostname()}-${workPoolId}`.replaceAll(/[^\w.-]/g, "-");
  return {
    name: workerName ?? base.replace(/^[^A-Za-z0-9]+/, "").slice(0, 100),
    secret: crypto.randomUUID() + crypto.randomUUID(),
  };
}

/** One file a pool and name: several workers of one host do not share it. */
export function resolveStatePath(
  { dataDir, workPoolId, workerName }: Pick<
    WorkerOptions,
    "dataDir" | "workPoolId" | "workerName"
  >,
): string {
  const name = [workPoolId, workerName ?? "default"].map(encodeURIComponent);
  return `${dataDir}/workers/${name.join("-")}.json`;
}
