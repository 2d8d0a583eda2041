import type { Command, GridClient, HeartbeatInput } from "../client/client.ts";
import { ApiError } from "../client/api_error.ts";
import { type Clock, deadline } from "../core/clock.ts";
import { logOf } from "../core/log.ts";
import { every } from "../core/loop.ts";
import { trustedUntil } from "./lease.ts";
import type { Outbox } from "./outbox.ts";
import type { Supervisor } from "./supervisor.ts";

const log = logOf("worker", "heartbeat");

/** Longest wait for an answer: one that is lost must not eat the lease. */
const ANSWER_MS = 8_000;

/** What a heartbeat works with. */
export interface HeartbeatOptions {
  readonly client: GridClient;
  readonly workerId: string;
  readonly clock: Clock;
  readonly periodMs: number;
  readonly outbox: Outbox;
  readonly supervisor: Supervisor;
  readonly status: () => "online" | "busy" | "draining";
  readonly onCommand: (command: Command) => void;
  /** The server does not know this worker (any more). */
  readonly onUnknown: () => Promise<void>;
}

/** Reports to the server, at its period and at once when there is something to say. Never two at a time. */
export class Heartbeat implements AsyncDisposable {
  readonly #options: HeartbeatOptions;
  readonly #loop: AsyncDisposable;
  #inFlight: Promise<void> | undefined;
  #again = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#loop = every(() => this.send(), {
      clock: options.clock,
      periodMs: options.periodMs,
      onFailure: (error) =>
        log.warn("Cannot report, the next try follows: {error}", { error }),
    });
  }

  /** Sends now, without waiting for the answer; a failure is left to the next period. */
  nudge(): void {
    void this.send().catch(() => {});
  }

  /** Sends what is to be said and resolves with its answer taken. While one is under way, one more follows it. */
  send(): Promise<void> {
    if (this.#inFlight) {
      this.#again = true;
      return this.#inFlight;
    }
    this.#inFlight = this.#sendAll().finally(() => this.#inFlight = undefined);
    return this.#inFlight;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop[Symbol.asyncDispose]();
    await this.#inFlight?.catch(() => {});
  }

  async #sendAll(): Promise<void> {
    do {
      this.#again = false;
      await this.#sendOnce();
    } while (this.#again);
  }

  async #sendOnce(): Promise<void> {
    const { client, workerId, clock, outbox, supervisor, status } =
      this.#options;
    supervisor.releaseUntrusted();
    const sentAt = clock.monotonic();
    const sent = outbox.snapshot();
    const body: HeartbeatInput = {
      status: status(),
      current_load: supervisor.size,
      ...hostUse(),
      sessions: sent.map((report) => ({
        ...report,
        ...metricsOf(supervisor, report.session_id),
      })),
    };
    using patience = deadline(clock, ANSWER_MS);
    try {
      const answer = await client.heartbeat(workerId, body, patience.signal);
      supervisor.release(outbox.settle(sent, answer.reports));
      const kept = answer.reports.filter(({ result }) => result === "accepted");
      supervisor.renew(
        kept.map(({ session_id }) => session_id),
        trustedUntil(sentAt, answer.lease_ttl_ms),
      );
      for (const command of answer.commands) this.#options.onCommand(command);
    } catch (error) {
      const isUnknown = error instanceof ApiError &&
        error.code === "worker_not_found";
      if (!isUnknown) throw error;
      await this.#options.onUnknown();
    }
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
