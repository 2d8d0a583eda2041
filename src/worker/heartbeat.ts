import type {
  Command,
  GridClient,
  HeartbeatInput,
  ReadyBrowsers,
} from "../client/client.ts";
import { ApiError } from "../client/api_error.ts";
import { aborted } from "../async/abortable.ts";
import { type Clock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import { createLogger } from "../core/log.ts";
import type { WorkerProof } from "../core/worker_proof.ts";
import { HostCpuMeter, readUsedMemoryMb } from "./host/resource_use.ts";
import { calculateTrustedUntil } from "./lease.ts";
import type { Report } from "./held_session.ts";
import type { Outbox } from "./outbox.ts";
import type { ServerAvailability } from "./server_availability.ts";
import type { Supervisor } from "./supervisor.ts";

const log = createLogger("worker", "heartbeat");

/** Longest wait for an answer: one that is lost must not eat the lease. */
const RESPONSE_TIMEOUT_MS = 8_000;

/** Pause after a failure. Short, because a lease is short and a server that comes back waits for its workers. */
const RETRY_MS = 1_000;

/** Longest wait for the answer to the last one. */
const DEREGISTER_TIMEOUT_MS = 3_000;

/** What a heartbeat works with. */
export interface HeartbeatOptions {
  readonly client: GridClient;
  readonly workerId: string;
  readonly proof: WorkerProof;
  readonly clock: Clock;
  readonly periodMs: number;
  readonly outbox: Outbox;
  readonly supervisor: Supervisor;
  readonly availability: ServerAvailability;
  readonly status: () => NonNullable<HeartbeatInput["status"]>;
  /** All that the server wants now. */
  readonly onCommands: (commands: readonly Command[]) => void;
  /** How many browsers are kept ready. */
  readonly ready: () => number;
  /** What the server wants to be kept ready now; undefined: nothing. */
  readonly onReadyWanted: (wanted: ReadyBrowsers | undefined) => void;
  /** What people are told of the worker's host. */
  readonly providerDetails: () => Readonly<Record<string, unknown>>;
  /** The server does not know this worker (any more). */
  readonly onUnknown: (signal: AbortSignal) => Promise<void>;
  /** A newer process is this worker. */
  readonly onReplaced: () => void;
}

/** Reports to the server, at its period and at once when there is something to say. Never two at a time. */
export class Heartbeat implements AsyncDisposable {
  readonly #options: HeartbeatOptions;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #sendRequested = new AbortController();
  #isMinimal = false;
  readonly #cpu = new HostCpuMeter();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  /** Sends soon; at once, if the last one was answered. */
  sendSoon(): void {
    this.#sendRequested.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  /** Says what is left to say, and that the worker leaves; gives up after a few seconds. After the disposal. */
  async deregister(): Promise<void> {
    const { clock, outbox } = this.#options;
    using patience = deadline(clock, DEREGISTER_TIMEOUT_MS);
    try {
      while (outbox.snapshot().length < outbox.size) {
        await this.#send("draining", patience.signal);
      }
      await this.#send("offline", patience.signal);
    } catch {
      // The server notices by itself that the worker has gone.
    }
  }

  async #run(): Promise<void> {
    const { clock, periodMs, status } = this.#options;
    const stop = this.#stop.signal;
    let failures = 0;
    while (!stop.aborted) {
      // Before it is sent: what is to be said from now on may not be in it.
      this.#sendRequested = new AbortController();
      try {
        using patience = deadline(clock, RESPONSE_TIMEOUT_MS, stop);
        await this.#send(status(), patience.signal);
        failures = 0;
      } catch (error) {
        if (stop.aborted) return;
        const isUnderstood = await this.#handleRejection(error, stop);
        if (failures++ === 0 && !isUnderstood) {
          log.warn("Cannot report, tries go on: {error}", { error });
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

  async #send(
    status: NonNullable<HeartbeatInput["status"]>,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, workerId, proof, clock, outbox, availability } =
      this.#options;
    const sentAt = clock.monotonic();
    const sent = outbox.snapshot();
    try {
      const body = this.#body(status, sent);
      const how = { proof, signal };
      const answer = await client.heartbeat(workerId, body, how);
      availability.recordResponse();
      this.#isMinimal = false;
      this.#applyResponse(
        sent,
        answer,
        calculateTrustedUntil(sentAt, answer.lease_ttl_ms),
      );
    } catch (error) {
      availability.recordFailure(error);
      throw error;
    }
  }

  #body(
    status: NonNullable<HeartbeatInput["status"]>,
    sent: readonly Report[],
  ): HeartbeatInput {
    const { supervisor, providerDetails, ready } = this.#options;
    return {
      status,
      provider_details: providerDetails(),
      current_load: supervisor.size,
      ready: ready(),
      cpu_percent: this.#cpu.percent(),
      memory_usage_mb: readUsedMemoryMb(),
      sessions: sent.map((report) =>
        this.#isMinimal ? toMinimalReport(report) : {
          ...report,
          ...takeMetrics(supervisor, report.session_id),
        }
      ),
    };
  }

  #applyResponse(
    sent: readonly Report[],
    { reports, commands, ready }: Awaited<ReturnType<GridClient["heartbeat"]>>,
    until: number,
  ): void {
    const { supervisor, outbox, onCommands, onReadyWanted } = this.#options;
    const isAll = outbox.size === sent.length;
    supervisor.endLost(outbox.settle(sent, reports));
    supervisor.renew(sent, reports, until);
    onCommands(commands);
    onReadyWanted(ready);
    if (!isAll) this.sendSoon();
  }

  /** Whether it is a refusal that something can be done about. */
  async #handleRejection(error: unknown, stop: AbortSignal): Promise<boolean> {
    const { onReplaced, onUnknown } = this.#options;
    const { code, status } = error instanceof ApiError ? error : NO_REJECTION;
    if (code === "worker_replaced") {
      onReplaced();
      await aborted(stop);
      return true;
    }
    if (code === "worker_not_found") {
      await onUnknown(stop);
      return true;
    }
    // What one session has to say must not cost the others their leases.
    const isFirst = status === INVALID && !this.#isMinimal;
    if (isFirst) {
      this.#isMinimal = true;
      log.error("Reports are refused, bare ones follow: {error}", { error });
    }
    return isFirst;
  }
}

const NO_REJECTION = { code: "", status: 0 };

/** HTTP status of a body that is not understood. */
const INVALID = 422;

/** The least that a report says. */
function toMinimalReport(
  { session_id, fencing_token, status, endpoint }: Report,
) {
  return {
    session_id,
    fencing_token,
    status,
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}

function takeMetrics(supervisor: Supervisor, sessionId: string) {
  const stats = supervisor.takeStats(sessionId);
  if (!stats) return {};
  return {
    metrics: {
      cpu_percent: stats.cpuPercent ?? null,
      memory_mb: stats.memoryMb ?? null,
      network_rx_bytes: roundOrNull(stats.networkRxBytes),
      network_tx_bytes: roundOrNull(stats.networkTxBytes),
    },
  };
}

function roundOrNull(bytes: number | undefined): number | null {
  return bytes === undefined ? null : Math.round(bytes);
}
