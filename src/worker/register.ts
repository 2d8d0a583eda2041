import { hostname } from "node:os";
import { deadline } from "../async/deadline.ts";
import { ApiError } from "../client/api_error.ts";
import type { Registration } from "../client/client.ts";
import { createLogger } from "../core/log.ts";
import { compareSupport } from "../core/version/version_support.ts";
import type { WorkerProof } from "../core/worker_proof.ts";
import { calculateTrustedUntil } from "./lease.ts";
import { resolveReach, type WorkerStartOptions } from "./options.ts";
import {
  createState,
  type StateStore,
  type WorkerState,
} from "./state_file.ts";

const log = createLogger("worker", "register");

/** Timeout of one request, so that a lost response does not end the retries. */
const RESPONSE_TIMEOUT_MS = 10_000;

/** Maximum pause between retries. */
const MAX_PAUSE_MS = 5_000;

/** Details of the worker's host that the API shows. */
export const HOST_DETAILS: Readonly<Record<string, string>> = {
  hostname: hostname(),
  os: Deno.build.os,
};

/** The result of a worker's registration. */
export interface Membership {
  /** The worker's state, with its id. */
  readonly state: WorkerState;
  readonly proof: WorkerProof;
  readonly registration: Registration;
  /** Moment of the monotonic clock until which the leases of the registered sessions are trusted. */
  readonly trustedUntil: number;
}

/**
 * Registers the worker with the identity in `store`, or as a new worker, and saves its id. Waits for the server.
 *
 * @throws {ApiError} If the server rejects the worker.
 */
export async function register(
  options: WorkerStartOptions,
  store: StateStore,
): Promise<Membership> {
  const before = await store.read() ?? createState(options);
  const proof = { secret: before.secret, instanceId: crypto.randomUUID() };
  const { registration, sentAt } = await requestRegistration(options, {
    state: before,
    proof,
  });
  const { worker, lease_ttl_ms } = registration;
  const state = { ...before, id: worker.id };
  await store.write(state);
  log.info("Registered as {name} in work pool {work_pool_id}", {
    name: worker.name,
    worker_id: worker.id,
    work_pool_id: worker.work_pool_id,
  });
  warnIfUnsupported(registration, options.version);
  if (options.workerId === undefined) warnIfByHand(registration);
  const trustedUntil = calculateTrustedUntil(sentAt, lease_ttl_ms);
  return { state, proof, registration, trustedUntil };
}

/** A registration and the moment of the monotonic clock at which it was requested. */
export interface TimedRegistration {
  readonly registration: Registration;
  readonly sentAt: number;
}

/**
 * Requests a registration, and retries while the server does not respond or responds with a transient error.
 *
 * @throws {ApiError} If the server rejects the worker.
 * @throws The reason of `signal` in the options.
 */
export async function requestRegistration(
  { client, clock, signal, ...options }: WorkerStartOptions,
  { state, proof }: Pick<Membership, "state" | "proof">,
): Promise<TimedRegistration> {
  const id = options.workerId ?? state.id;
  const body = {
    ...(id === undefined ? {} : { id }),
    name: state.name,
    secret: proof.secret,
    instance_id: proof.instanceId,
    work_pool_id: options.workPoolId,
    capacity: options.capacity,
    version: options.version,
    reach: resolveReach(options),
    provider_details: HOST_DETAILS,
  };
  for (let attempt = 0;; attempt++) {
    using timeout = deadline(
      clock,
      RESPONSE_TIMEOUT_MS,
      ...(signal ? [signal] : []),
    );
    try {
      const sentAt = clock.monotonic();
      const registration = await client.registerWorker(body, {
        signal: timeout.signal,
      });
      return { registration: addMembers(registration), sentAt };
    } catch (error) {
      signal?.throwIfAborted();
      if (!timeout.signal.aborted && !isTransient(error)) throw error;
      if (attempt === 0) log.warn("Waiting for the server: {error}", { error });
      const pause = Math.min(MAX_PAUSE_MS, 100 * 2 ** attempt);
      await clock.sleep(pause * (0.5 + Math.random() / 2), signal);
    }
  }
}

/** Returns a registration with the members that a server of the previous version does not send. */
function addMembers(registration: Registration): Registration {
  const added: Partial<Registration> = {
    provider_type: registration.worker.provider_type,
    // That server rejects measurements.
    metrics_ms: 0,
  };
  return { ...added, ...registration };
}

/** Logs a warning if the worker and its server are of versions that are not made to work together. */
function warnIfUnsupported(
  { server_version }: Partial<Registration>,
  version: string,
): void {
  const support = compareSupport(server_version, version);
  if (support !== "too_old" && support !== "too_new") return;
  log.warn(
    "Server has version {server_version}, which a worker of version {version} does not support: upgrade the older one",
    { server_version, version },
  );
}

/** Logs a warning if the server starts the workers of the pool: they use another provider than the pool's, on their own machines. */
function warnIfByHand({ worker, provider_type }: Registration): void {
  if (provider_type === worker.provider_type) return;
  log.warn(
    "Work pool {work_pool_id} runs its workers on machines that the server starts by provider {machine_provider}; this one starts browsers on this host, with provider {provider}",
    {
      work_pool_id: worker.work_pool_id,
      machine_provider: worker.provider_type,
      provider: provider_type,
    },
  );
}

/** Returns true if a retry may succeed: there was no response, or it asks the worker to try again later. */
function isTransient(error: unknown): boolean {
  return error instanceof ApiError &&
    (error.status === 0 || error.status >= 500 || error.status === 429);
}
