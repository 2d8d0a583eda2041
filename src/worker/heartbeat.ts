import { aborted } from "../async/abortable.ts";
import type { Clock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import { ApiError } from "../client/api_error.ts";
import type {
  GridClient,
  HeartbeatInput,
  HeartbeatResponse,
  WorkerCommand,
} from "../client/client.ts";
import { createLogger } from "../core/log.ts";
import type { WorkerProof } from "../core/worker_proof.ts";
import { HostMeter } from "./host/resource_use.ts";
import { calculateTrustedUntil } from "./lease.ts";
import type { Observers } from "./observer/observers.ts";
import type { Outbox } from "./outbox.ts";
import { addMetrics, type Report, toMinimalReport } from "./report.ts";
import type { ServerAvailability } from "./server_availability.ts";
import type { Supervisor } from "./supervisor.ts";
import type { WorkerSampler } from "./host/worker_sampler.ts";
import type { WarmPool } from "./warm/pool.ts";

const log = createLogger("worker", "heartbeat");

/** Timeout of a response. Short, because a lost one must not use up the lease. */
const RESPONSE_TIMEOUT_MS = 8_000;

/**
 * Time for which a disposal waits for the response in flight. The server may serve a request that was aborted after
 * the ones that follow it: a worker that has left would be draining again.
 */
const LAST_RESPONSE_MS = 2_000;

/** Pause after a failure. Short, because a lease is, and because a restarted server waits for its workers. */
const RETRY_MS = 1_000;

/** Timeout of the last heartbeats, which deregister the worker, with their repetitions. */
const DEREGISTER_TIMEOUT_MS = 5_000;

/** Pause before a failed last heartbeat is repeated. */
const DEREGISTER_RETRY_MS = 250;

/** Time for which the server must reject the worker's key before a worker without sessions registers again. */
const KEY_REJECTED_MS = 120_000;

/** Reason of the abort of a pause. A text, because an exception would record its stack. */
const SEND_REQUESTED = "a report is due";

/** HTTP status of a rejected body. */
const INVALID = 422;

type ReportedStatus = NonNullable<HeartbeatInput["status"]>;

/** Options of a {@linkcode Heartbeat}. */
export interface HeartbeatOptions {
  readonly client: GridClient;
  readonly workerId: string;
  readonly proof: WorkerProof;
  readonly clock: Clock;
  readonly periodMs: number;
  /** Folder whose disk is measured. */
  readonly dataDir: string;
  readonly outbox: Outbox;
  readonly supervisor: Pick<
    Supervisor,
    "size" | "endLost" | "renew"
  >;
  /** The measurements that are due. */
  readonly samples: Pick<WorkerSampler, "takeSession" | "takeHost">;
  readonly warm: Pick<WarmPool, "readyCount" | "setTarget">;
  readonly observers?: Pick<Observers, "update"> | undefined;
  readonly availability: ServerAvailability;
  readonly readStatus: () => ReportedStatus;
  /** Returns the details of the worker's host that the API shows. */
  readonly readHostDetails: () => Readonly<Record<string, unknown>>;
  /** Called with all commands that are in force. */
  readonly onCommands: (commands: readonly WorkerCommand[]) => void;
  /** Called with all sessions whose output clients follow. */
  readonly onFollowed: (
    followed: NonNullable<HeartbeatResponse["followed"]>,
  ) => void;
  /** Called if the server no longer knows the worker or its key. The next heartbeat waits for it. */
  readonly onUnknown: (signal: AbortSignal) => Promise<void>;
  /** Called if a newer process has registered as this worker. */
  readonly onReplaced: () => void;
}

/** Sends the worker's reports, periodically and on request, one request at a time. */
export class Heartbeat implements AsyncDisposable {
  readonly #options: HeartbeatOptions;
  readonly #stop = new AbortController();
  /** Ends the request in flight, some time after the stop. */
  readonly #cut = new AbortController();
  readonly #host: HostMeter;
  #done: Promise<void> = Promise.resolve();
  #sendRequested = new AbortController();
  /** True after a rejected body, until the next response: reports contain only what leases need. */
  #isMinimal = false;
  /** Moment of the first rejection of the key since the last response. */
  #keyRejectedAt: number | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#host = new HostMeter(options);
  }

  /** Sends the first heartbeat, and more until disposed. */
  start(): void {
    this.#done = this.#run();
  }

  /** Requests a heartbeat: immediately, or after the response to the one in flight. */
  sendSoon(): void {
    this.#sendRequested.abort(SEND_REQUESTED);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    using late = deadline(this.#options.clock, LAST_RESPONSE_MS);
    late.signal.addEventListener("abort", () => this.#cut.abort());
    await this.#done;
  }

  /** Sends the remaining reports and the status `offline`, for at most 5 s. Call it after the disposal. */
  async deregister(): Promise<void> {
    const { clock } = this.#options;
    using timeout = deadline(clock, DEREGISTER_TIMEOUT_MS);
    const { signal } = timeout;
    // After that, the server marks the worker offline because its heartbeats have stopped.
    while (!signal.aborted) {
      try {
        return await this.#sendLast(signal);
      } catch (error) {
        log.debug("The last heartbeat failed: {error}", { error });
        const isBusy = error instanceof ApiError && error.status >= 500;
        if (!isBusy) return;
        await clock.sleep(DEREGISTER_RETRY_MS, signal).catch(() => {});
      }
    }
  }

  async #sendLast(signal: AbortSignal): Promise<void> {
    const { outbox } = this.#options;
    while (outbox.snapshot().length < outbox.size) {
      await this.#send("draining", signal);
    }
    await this.#send("offline", signal);
  }

  async #run(): Promise<void> {
    const { clock, periodMs, readStatus } = this.#options;
    const stop = this.#stop.signal;
    let failures = 0;
    while (!stop.aborted) {
      // Before the request is built: later changes may not be part of it.
      this.#sendRequested = new AbortController();
      try {
        using timeout = deadline(
          clock,
          RESPONSE_TIMEOUT_MS,
          this.#cut.signal,
        );
        await this.#send(readStatus(), timeout.signal);
        failures = 0;
      } catch (error) {
        if (stop.aborted) return;
        const isHandled = await this.#handleRejection(error);
        if (failures++ === 0 && !isHandled) {
          log.warn("Heartbeat failed, retrying: {error}", { error });
        }
      }
      const pause = failures === 0
        ? clock.sleep(
          periodMs,
          AbortSignal.any([stop, this.#sendRequested.signal]),
        )
        : clock.sleep(RETRY_MS * (1 + Math.random() / 2), stop);
      await pause.catch(() => {});
    }
  }

  async #send(status: ReportedStatus, signal: AbortSignal): Promise<void> {
    const { client, workerId, proof, clock, outbox, availability } =
      this.#options;
    const sentAt = clock.monotonic();
    const sent = outbox.snapshot();
    try {
      const body = this.#createBody(status, sent);
      const response = await client.sendHeartbeat(workerId, body, {
        proof,
        signal,
      });
      availability.recordResponse();
      this.#isMinimal = false;
      this.#keyRejectedAt = undefined;
      this.#applyResponse(sent, {
        ...response,
        trustedUntil: calculateTrustedUntil(sentAt, response.lease_ttl_ms),
      });
    } catch (error) {
      availability.recordFailure(error);
      throw error;
    }
  }

  #createBody(
    status: ReportedStatus,
    sent: readonly Report[],
  ): HeartbeatInput {
    const { supervisor, warm, samples, readHostDetails } = this.#options;
    const metrics = samples.takeHost();
    return {
      status,
      provider_details: readHostDetails(),
      current_load: supervisor.size,
      ready: warm.readyCount,
      ...this.#host.read(),
      ...(metrics && !this.#isMinimal && { metrics }),
      sessions: sent.map((report) =>
        this.#isMinimal
          ? toMinimalReport(report)
          : addMetrics(report, samples.takeSession(report.session_id))
      ),
    };
  }

  #applyResponse(
    sent: readonly Report[],
    { reports, commands, followed = [], ready, observed, trustedUntil }:
      & Awaited<ReturnType<GridClient["sendHeartbeat"]>>
      & { readonly trustedUntil: number },
  ): void {
    const { supervisor, outbox, warm, observers, onCommands, onFollowed } =
      this.#options;
    const hasSentAll = outbox.size === sent.length;
    supervisor.endLost(outbox.settle(sent, reports));
    supervisor.renew(sent, reports, trustedUntil);
    onCommands(commands);
    onFollowed(followed);
    warm.setTarget(ready);
    observers?.update(sent, { reports, observed });
    if (!hasSentAll) this.sendSoon();
  }

  /** Handles a rejection that is more than a failed request. Returns false for any other error. */
  async #handleRejection(error: unknown): Promise<boolean> {
    if (!(error instanceof ApiError)) return false;
    const { onReplaced, onUnknown } = this.#options;
    const stop = this.#stop.signal;
    if (error.code === "worker_replaced") {
      onReplaced();
      await aborted(stop);
      return true;
    }
    if (error.code === "worker_not_found" || this.#isKeyRevoked(error)) {
      await onUnknown(stop);
      return true;
    }
    // The report of one session must not cost the others their leases.
    const isFirst = error.status === INVALID && !this.#isMinimal;
    if (isFirst) {
      this.#isMinimal = true;
      log.error("Reports rejected, sending minimal ones: {error}", { error });
    }
    return isFirst;
  }

  /**
   * Returns true if the server has rejected the key for 2 minutes and the worker holds no session: the key was deleted,
   * not just replaced on the server before the workers.
   */
  #isKeyRevoked({ code }: ApiError): boolean {
    if (code !== "unauthorized" && code !== "forbidden") return false;
    const { clock, supervisor } = this.#options;
    const now = clock.monotonic();
    this.#keyRejectedAt ??= now;
    if (now - this.#keyRejectedAt <= KEY_REJECTED_MS) return false;
    if (supervisor.size > 0) return false;
    this.#keyRejectedAt = now;
    return true;
  }
}
