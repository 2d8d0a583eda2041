import type { Command, GridClient, HeartbeatInput } from "../client/client.ts";
import { ApiError } from "../client/api_error.ts";
import { type Clock, deadline } from "../core/clock.ts";
import { logOf } from "../core/log.ts";
import { trustedUntil } from "./lease.ts";
import type { Outbox } from "./outbox.ts";
import type { ServerSight } from "./server_sight.ts";
import type { Supervisor } from "./supervisor.ts";

const log = logOf("worker", "heartbeat");

/** Longest wait for an answer: one that is lost must not eat the lease. */
const ANSWER_MS = 8_000;

/** Pause after a failure. Short, because a lease is short and a server that comes back waits for its workers. */
const RETRY_MS = 1_000;

/** Longest wait for the answer to the last one. */
const FAREWELL_MS = 3_000;

/** What a heartbeat works with. */
export interface HeartbeatOptions {
  readonly client: GridClient;
  readonly workerId: string;
  readonly instanceId: string;
  readonly clock: Clock;
  readonly periodMs: number;
  readonly outbox: Outbox;
  readonly supervisor: Supervisor;
  readonly sight: ServerSight;
  readonly status: () => NonNullable<HeartbeatInput["status"]>;
  /** All that the server wants now. */
  readonly onCommands: (commands: readonly Command[]) => void;
  /** The server does not know this worker (any more). */
  readonly onUnknown: () => Promise<void>;
  /** A newer process is this worker. */
  readonly onReplaced: () => void;
}

/** Reports to the server, at its period and at once when there is something to say. Never two at a time. */
export class Heartbeat implements AsyncDisposable {
  readonly #options: HeartbeatOptions;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #nudged = new AbortController();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  /** Sends soon; at once, if the last one was answered. */
  nudge(): void {
    this.#nudged.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  /** Says what is left to say, and that the worker leaves. After the disposal. */
  async farewell(): Promise<void> {
    await this.#send("offline", FAREWELL_MS).catch(() => {});
  }

  async #run(): Promise<void> {
    const { clock, periodMs, status } = this.#options;
    const stop = this.#stop.signal;
    let failures = 0;
    while (!stop.aborted) {
      // Before it is sent: what is to be said from now on may not be in it.
      this.#nudged = new AbortController();
      try {
        await this.#send(status(), ANSWER_MS, stop);
        failures = 0;
      } catch (error) {
        if (stop.aborted) return;
        if (failures++ === 0) {
          log.warn("Cannot report, tries go on: {error}", { error });
        }
      }
      const pause = failures === 0
        ? clock.sleep(periodMs, AbortSignal.any([stop, this.#nudged.signal]))
        : clock.sleep(RETRY_MS * (1 + Math.random() / 2), stop);
      await pause.catch(() => {});
    }
  }

  async #send(
    status: NonNullable<HeartbeatInput["status"]>,
    patienceMs: number,
    stop?: AbortSignal,
  ): Promise<void> {
    const { client, workerId, clock, outbox, sight } = this.#options;
    using patience = deadline(clock, patienceMs, ...(stop ? [stop] : []));
    const sentAt = clock.monotonic();
    const sent = outbox.snapshot();
    try {
      const answer = await client.heartbeat(
        workerId,
        this.#body(status, sent),
        patience.signal,
      );
      sight.answered();
      this.#take(sent, answer, trustedUntil(sentAt, answer.lease_ttl_ms));
    } catch (error) {
      sight.failed(error);
      await this.#refused(error);
    }
  }

  #body(
    status: NonNullable<HeartbeatInput["status"]>,
    sent: ReturnType<Outbox["snapshot"]>,
  ): HeartbeatInput {
    const { supervisor, instanceId } = this.#options;
    return {
      instance_id: instanceId,
      status,
      current_load: supervisor.size,
      ...hostUse(),
      sessions: sent.map((report) => ({
        ...report,
        ...metricsOf(supervisor, report.session_id),
      })),
    };
  }

  #take(
    sent: ReturnType<Outbox["snapshot"]>,
    { reports, commands }: Awaited<ReturnType<GridClient["heartbeat"]>>,
    until: number,
  ): void {
    const { supervisor, outbox, onCommands } = this.#options;
    const isAll = outbox.size === sent.length;
    supervisor.release(outbox.settle(sent, reports));
    supervisor.renew(
      reports.filter(({ result }) => result === "accepted"),
      until,
    );
    onCommands(commands);
    if (!isAll) this.nudge();
  }

  async #refused(error: unknown): Promise<void> {
    const code = error instanceof ApiError ? error.code : undefined;
    if (code === "worker_replaced") this.#options.onReplaced();
    else if (code === "worker_not_found") await this.#options.onUnknown();
    else throw error;
  }
}

function metricsOf(supervisor: Supervisor, sessionId: string) {
  const stats = supervisor.statsOf(sessionId);
  if (!stats) return {};
  return {
    metrics: {
      cpu_percent: stats.cpuPercent ?? null,
      memory_mb: stats.memoryMb ?? null,
      network_rx_bytes: stats.networkRxBytes ?? null,
      network_tx_bytes: stats.networkTxBytes ?? null,
    },
  };
}

function hostUse() {
  const { total, available } = Deno.systemMemoryInfo();
  const [lastMinute = 0] = Deno.loadavg();
  return {
    cpu_percent: Math.round(lastMinute * 100 / navigator.hardwareConcurrency),
    memory_usage_mb: Math.round((total - available) / 2 ** 20),
  };
}
