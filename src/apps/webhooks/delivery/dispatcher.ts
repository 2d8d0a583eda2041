import { uuidv7 } from "uuidv7";
import { CpuShare } from "../../../async/cpu_share.ts";
import { deadline } from "../../../async/deadline.ts";
import { OnDemand } from "../../../async/on_demand.ts";
import type { Core } from "../../../core/app.ts";
import type { Counter } from "../../../core/metrics/counter.ts";
import { createLogger } from "../../../core/log.ts";
import {
  type Due,
  findDue,
  LEASE_MARGIN_MS,
  type LeasedDelivery,
  leaseDeliveries,
  MAX_PER_LEASE,
} from "../store/lease.ts";
import { WEBHOOK_CHANGED } from "../start_when_used.ts";
import { TEST_TYPE } from "../store/deliveries.ts";
import { type Outcome, storeOutcomes } from "../store/outcome.ts";
import type {
  AttemptContext,
  AttemptResult,
  DeliverySender,
} from "./attempt.ts";
import { backoffMs } from "./backoff.ts";

const log = createLogger("apps", "webhooks");

/** Maximum time between two polls while there is an active webhook: an event of another server is sent within a second. */
const POLL_INTERVAL_MS = 900;

/** Time between two polls while there is none, by which webhooks of other servers are found. */
const IDLE_INTERVAL_MS = 10_000;

/** Minimum time between two polls, however many events there are. */
const MIN_INTERVAL_MS = 20;

/**
 * The same while requests keep the process busy, which deliveries must not slow down. At least 80 deliveries a second are
 * sent: as many as are leased at once, by this time.
 */
const BUSY_INTERVAL_MS = 400;

/** Share of a core from which on the process counts as busy. */
const BUSY_SHARE = 0.8;

/** Random share of an interval, so that servers do not poll at the same time. */
const JITTER = 0.3;

/** Maximum number of concurrent attempts of this server. */
const MAX_ATTEMPTS = 32;

/** Maximum number of concurrent attempts of one webhook by this server. */
const MAX_PER_WEBHOOK = 2 * MAX_PER_LEASE;

/** HTTP status by which a receiver asks for no more requests. */
const GONE = 410;

/** Dependencies of a {@linkcode Dispatcher}. */
export interface DispatcherOptions extends Omit<AttemptContext, "send"> {
  readonly core: Pick<Core, "clock" | "db" | "bus">;
  /** Counts attempts by their result. */
  readonly results: Counter;
}

/**
 * Sends deliveries. Each server of the grid has one.
 *
 * It polls while a webhook is active, at once after any change in this process, and otherwise every ten seconds for a
 * webhook that another server created.
 */
export class Dispatcher implements AsyncDisposable {
  readonly #options: DispatcherOptions;
  readonly #stop = new AbortController();
  readonly #attempts = new Set<Promise<void>>();
  /** Results of attempts that are not stored yet. */
  #outcomes: Outcome[] = [];
  /** Number of attempts by id of the webhook. */
  readonly #busy = new Map<string, number>();
  readonly #subscription: Disposable;
  readonly #cpu = new CpuShare();
  readonly #sender: OnDemand<DeliverySender>;
  readonly #done: Promise<void>;
  #hasActive = true;
  #isWoken = false;
  #wake = () => {};
  #isFailing = false;

  /** Starts at once. */
  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#sender = new OnDemand(async () =>
      new (await import("./attempt.ts")).DeliverySender(options)
    );
    this.#subscription = options.core.bus.subscribe(({ type }) => {
      if (this.#hasActive || type === WEBHOOK_CHANGED) this.#wakeUp();
    });
    this.#done = this.#run();
  }

  /** Ends the attempts that run. Each of them is due again at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription[Symbol.dispose]();
    this.#stop.abort(new DOMException("The server stops", "AbortError"));
    this.#wakeUp();
    await this.#done;
    await Promise.all(this.#attempts);
    await this.#sender[Symbol.asyncDispose]();
    // Without it, they are repeated after their leases.
    await this.#storeOutcomes().catch((error) =>
      log.warn("Storing the results of deliveries failed: {error}", { error })
    );
  }

  #wakeUp(): void {
    this.#isWoken = true;
    this.#wake();
  }

  async #run(): Promise<void> {
    const { clock } = this.#options.core;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#isWoken = false;
      await this.#wait(await this.#poll());
      if (!signal.aborted) {
        const isBusy = this.#cpu.measure() >= BUSY_SHARE;
        const ms = isBusy ? BUSY_INTERVAL_MS : MIN_INTERVAL_MS;
        await clock.sleep(ms, signal).catch(() => {});
      }
    }
  }

  /** Stores results, starts due attempts and returns the time until the next poll. */
  async #poll(): Promise<number> {
    const pause = POLL_INTERVAL_MS * (1 - JITTER * Math.random());
    try {
      const due = await this.#storeOutcomes() ??
        await findDue(this.#options.core.db);
      this.#isFailing = false;
      this.#hasActive = due.hasActive;
      if (!due.hasActive) return IDLE_INTERVAL_MS;
      const isFull = await this.#startDue(due);
      const next = due.nextAt ?? Infinity;
      const remaining = next - this.#options.core.clock.now();
      // Those that are due and were not leased wait for an attempt of this server or another one.
      return isFull ? 0 : remaining > 0 ? Math.min(pause, remaining) : pause;
    } catch (error) {
      if (!this.#isFailing) {
        log.warn("Reading and storing deliveries failed: {error}", { error });
      }
      this.#isFailing = true;
      return pause;
    }
  }

  /** Returns true if there may be more that can start now. */
  async #startDue({ nextAt = Infinity }: Due): Promise<boolean> {
    const { clock, db } = this.#options.core;
    const now = clock.now();
    const limit = MAX_ATTEMPTS - this.#attempts.size;
    if (nextAt > now || limit <= 0 || this.#stop.signal.aborted) return false;
    const token = uuidv7();
    const requestedAt = clock.monotonic();
    const leased = await leaseDeliveries(db, {
      token,
      now,
      limit,
      busy: [...this.#busy].filter(([, count]) =>
        count > MAX_PER_WEBHOOK - MAX_PER_LEASE
      ).map(([id]) => id),
    });
    const isLate = clock.monotonic() - requestedAt > LEASE_MARGIN_MS / 2;
    // A lease that may end during the attempt is left to end.
    if (!isLate) { for (const each of leased) this.#start(each, token); }
    return leased.length > 0 && this.#attempts.size < MAX_ATTEMPTS;
  }

  #start(delivery: LeasedDelivery, token: string): void {
    const { webhookId } = delivery;
    this.#busy.set(webhookId, (this.#busy.get(webhookId) ?? 0) + 1);
    const attempt = this.#attempt(delivery, token).then(
      (outcome) => void this.#outcomes.push(outcome),
      (error) => log.warn("Attempting deliveries failed: {error}", { error }),
    ).then(() => {
      this.#attempts.delete(attempt);
      const others = (this.#busy.get(webhookId) ?? 1) - 1;
      if (others > 0) this.#busy.set(webhookId, others);
      else this.#busy.delete(webhookId);
      this.#wakeUp();
    });
    this.#attempts.add(attempt);
  }

  async #attempt(delivery: LeasedDelivery, token: string): Promise<Outcome> {
    const { core } = this.#options;
    const sender = await this.#sender.get();
    using timeout = deadline(
      core.clock,
      delivery.timeoutSeconds * 1_000,
      this.#stop.signal,
    );
    const result = await sender.attempt(delivery, timeout.signal);
    const isStopped = this.#stop.signal.aborted && result.statusCode === null;
    const { id, webhookId, type } = delivery;
    const now = core.clock.now();
    const next = decide(delivery, result, now);
    if (!isStopped) {
      const { status } = next;
      this.#options.results.of(status === "pending" ? "retried" : status).add();
    }
    return {
      id,
      webhookId,
      token,
      now,
      ...result,
      ...(isStopped ? { status: "pending", dueAt: now } : next),
      isGone: result.statusCode === GONE,
      isCounted: type !== TEST_TYPE && !isStopped,
    };
  }

  /** Stores the results of attempts. Returns what is due then; undefined if there are none. */
  async #storeOutcomes(): Promise<Due | undefined> {
    const { db, bus } = this.#options.core;
    const outcomes = this.#outcomes;
    if (outcomes.length === 0) return;
    this.#outcomes = [];
    try {
      const due = await storeOutcomes(db, outcomes);
      for (const { status, webhookId } of outcomes) {
        if (status === "delivered") continue;
        // It may have stopped the webhook, which is an event.
        bus.publish({ type: "webhook_failed", subject: webhookId });
      }
      return due;
    } catch (error) {
      // As long as this fails, no attempt starts, so that they are few.
      this.#outcomes.unshift(...outcomes);
      throw error;
    }
  }

  async #wait(ms: number): Promise<void> {
    if (this.#isWoken || ms <= 0) return;
    const over = new AbortController();
    this.#wake = () => over.abort();
    await this.#options.core.clock.sleep(ms, over.signal).catch(() => {});
    this.#wake = () => {};
  }
}

/** Returns what becomes of a delivery after an attempt. */
function decide(
  { attempts, maxAttempts, type }: LeasedDelivery,
  { error, statusCode }: AttemptResult,
  now: number,
): {
  readonly status: "delivered" | "failed" | "pending";
  readonly dueAt: number | null;
} {
  if (error === null) return { status: "delivered", dueAt: null };
  const isLast = type === TEST_TYPE || attempts >= maxAttempts ||
    statusCode === GONE;
  return isLast
    ? { status: "failed", dueAt: null }
    : { status: "pending", dueAt: now + backoffMs(attempts) };
}
