import type { Clock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import { ApiError } from "../../client/api_error.ts";
import type { BrowserEventsInput, GridClient } from "../../client/client.ts";
import { createLogger } from "../../core/log.ts";
import type { WorkerProof } from "../../core/worker_proof.ts";
import { boundParams } from "./bounded_params.ts";
import type { MatchedEvent } from "./session_observer.ts";

const log = createLogger("worker", "observer");

/** Minimum time between two requests. */
const MIN_INTERVAL_MS = 250;

/** Time in which further events join the first one of a request. */
const GATHER_MS = 20;

/** Maximum number of events in a request. */
const MAX_BATCH = 100;

/** Number of characters that an event counts in addition to its parameters. */
const ENVELOPE_LENGTH = 500;

/** Maximum number of characters of the events in a request. */
const MAX_BATCH_LENGTH = 500_000;

/** Maximum number of characters of waiting events. More events are dropped. */
const MAX_WAITING_LENGTH = 4_000_000;

/** Timeout of a response. */
const RESPONSE_MS = 8_000;

/** Pause before a failed request is repeated, and time after which it is given up. */
const RETRY_MS = 1_000;
const GIVE_UP_MS = 30_000;

/** Timeout of the last request. */
const LAST_MS = 2_000;

/** HTTP statuses of requests that are repeated although they were rejected. */
const REPEATED: ReadonlySet<number> = new Set([408, 429]);

type WireEvent = NonNullable<BrowserEventsInput["events"]>[number];

/** The session of an event. */
export interface SessionRef {
  readonly sessionId: string;
  readonly fencingToken: number;
}

/** Dropped events of a webhook and session. */
interface Drop {
  readonly session: SessionRef;
  readonly webhookId: string;
  readonly count: number;
}

/** An event that waits for its request. */
interface Waiting {
  readonly session: SessionRef;
  readonly event: Omit<WireEvent, "age_ms">;
  readonly observedAt: number;
  readonly length: number;
}

/** Options of an {@linkcode EventSender}. */
export interface EventSenderOptions {
  readonly client: Pick<GridClient, "sendBrowserEvents">;
  readonly workerId: string;
  readonly proof: WorkerProof;
  readonly clock: Clock;
}

/** Sends browser events to the server, in bounded requests, one at a time. */
export class EventSender implements AsyncDisposable {
  readonly #options: EventSenderOptions;
  readonly #stop = new AbortController();
  /** Numbers of dropped events, by session and webhook. */
  readonly #drops = new Map<SessionRef, Map<string, number>>();
  #waiting: Waiting[] = [];
  #length = 0;
  #sentAt = -Infinity;
  #running: Promise<void> | undefined;

  constructor(options: EventSenderOptions) {
    this.#options = options;
  }

  /** Sends an event soon. It counts as dropped if too many wait. */
  send(session: SessionRef, event: MatchedEvent): void {
    const { webhookId, method, target, dropped } = event;
    if (this.#length > MAX_WAITING_LENGTH) {
      return this.drop(session, webhookId);
    }
    const bounded = boundParams(event.params);
    const length = JSON.stringify(bounded.params).length + ENVELOPE_LENGTH;
    this.#length += length;
    this.#waiting.push({
      session,
      event: {
        ...toWire(session, webhookId),
        id: crypto.randomUUID(),
        method,
        target,
        ...bounded,
        dropped,
      },
      observedAt: this.#options.clock.monotonic(),
      length,
    });
    this.#start();
  }

  /** Reports dropped events soon. */
  drop(session: SessionRef, webhookId: string, count = 1): void {
    const ofSession = this.#drops.get(session) ?? new Map<string, number>();
    this.#drops.set(session, ofSession);
    ofSession.set(webhookId, (ofSession.get(webhookId) ?? 0) + count);
    this.#start();
  }

  /** Sends what waits once more, for at most 2 s. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    if (!this.#hasWaiting) return;
    using timeout = deadline(this.#options.clock, LAST_MS);
    try {
      while (this.#hasWaiting) {
        await this.#request(this.#takeBatch(), timeout.signal);
      }
    } catch (error) {
      log.debug("Browser events not sent: {error}", { error });
    }
  }

  get #hasWaiting(): boolean {
    return this.#waiting.length + this.#drops.size > 0;
  }

  #start(): void {
    if (this.#stop.signal.aborted) return;
    this.#running ??= this.#run().finally(() => this.#running = undefined);
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    while (this.#hasWaiting && !signal.aborted) {
      const rest = this.#sentAt + MIN_INTERVAL_MS - clock.monotonic();
      await clock.sleep(Math.max(GATHER_MS, rest), signal).catch(() => {});
      if (signal.aborted) return;
      await this.#deliver(this.#takeBatch());
    }
  }

  /** Sends a batch, and repeats it after a failure. An event that the server already knows is not delivered again. */
  async #deliver(batch: Batch): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    const startedAt = clock.monotonic();
    for (;;) {
      try {
        using timeout = deadline(clock, RESPONSE_MS, signal);
        this.#sentAt = clock.monotonic();
        return await this.#request(batch, timeout.signal);
      } catch (error) {
        const isRejected = error instanceof ApiError && error.status < 500 &&
          !REPEATED.has(error.status);
        const isOver = clock.monotonic() - startedAt > GIVE_UP_MS;
        if (signal.aborted) return this.#putBack(batch);
        if (isRejected || isOver) {
          log.warn(
            "Browser events dropped, server does not accept them: {error}",
            {
              error,
            },
          );
          // A rejection of the counts would repeat itself.
          return isRejected ? undefined : this.#countDropped(batch);
        }
        await clock.sleep(RETRY_MS, signal).catch(() => {});
      }
    }
  }

  async #request(batch: Batch, signal: AbortSignal): Promise<void> {
    const { client, workerId, proof, clock } = this.#options;
    const now = clock.monotonic();
    const events = batch.waiting.map(({ event, observedAt }) => ({
      ...event,
      age_ms: Math.min(Math.max(0, now - observedAt), 3_600_000),
    }));
    const dropped = batch.drops.map(({ session, webhookId, count }) => ({
      ...toWire(session, webhookId),
      count,
    }));
    const body = { events, dropped };
    await client.sendBrowserEvents(workerId, body, { proof, signal });
  }

  #takeBatch(): Batch {
    let room = MAX_BATCH_LENGTH;
    const end = this.#waiting.findIndex(({ length }, at) => {
      room -= length;
      return at === MAX_BATCH || (at > 0 && room < 0);
    });
    const count = end === -1 ? this.#waiting.length : end;
    const waiting = this.#waiting.splice(0, count);
    for (const { length } of waiting) this.#length -= length;
    return { waiting, drops: this.#takeDrops() };
  }

  #takeDrops(): readonly Drop[] {
    const drops = [...this.#drops].flatMap(([session, counts]) =>
      [...counts].map(([webhookId, count]) => ({ session, webhookId, count }))
    ).slice(0, MAX_BATCH);
    for (const { session, webhookId } of drops) {
      const counts = this.#drops.get(session);
      counts?.delete(webhookId);
      if (counts?.size === 0) this.#drops.delete(session);
    }
    return drops;
  }

  #putBack({ waiting, drops }: Batch): void {
    this.#waiting.unshift(...waiting);
    this.#addDrops(drops);
  }

  #countDropped({ waiting, drops }: Batch): void {
    this.#addDrops(drops);
    for (const { session, event } of waiting) {
      this.drop(session, event.webhook_id);
    }
  }

  #addDrops(drops: readonly Drop[]): void {
    for (const { session, webhookId, count } of drops) {
      this.drop(session, webhookId, count);
    }
  }
}

/** The content of one request. */
interface Batch {
  readonly waiting: readonly Waiting[];
  readonly drops: readonly Drop[];
}

function toWire({ sessionId, fencingToken }: SessionRef, webhookId: string) {
  return {
    session_id: sessionId,
    fencing_token: fencingToken,
    webhook_id: webhookId,
  };
}
