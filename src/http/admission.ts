import type { MiddlewareHandler } from "hono";
import type { Clock } from "../async/clock.ts";
import { isAnonymous, isSelf } from "../core/caller.ts";
import type { Database } from "../core/database.ts";
import { GridError } from "../core/errors.ts";
import { createLogger } from "../core/log.ts";
import type { GridEnv } from "../core/middleware.ts";
import type { Settings } from "../core/settings.ts";
import { getCaller } from "./auth/access.ts";
import type { Ingress } from "./server/ingress.ts";
import { createAddressReader } from "./server/client_address.ts";

const log = createLogger("http", "admission");

/** Longest wait that clients accept. Beyond it, only callers with few requests are served. */
const PATIENCE_MS = 2_000;

/** Wait beyond which every request is rejected: so many callers share the database that none has fewer than others. */
const MAX_WAIT_MS = 3 * PATIENCE_MS;

/** Time after which an admitted request counts half for its caller. */
const HALF_LIFE_MS = 1_000;

/** Random part of `Retry-After`, so that rejected clients do not come back together. */
const JITTER_SECONDS = 3;

/** Minimum time between two log lines. */
const LOG_INTERVAL_MS = 10_000;

/** Parts of an {@linkcode Admission}. */
export interface AdmissionParts {
  readonly db: Pick<Database, "expectedWaitMs">;
  readonly ingress: Pick<Ingress, "expectedWaitMs" | "isFull">;
  readonly clock: Pick<Clock, "monotonic">;
  /** Returns a number from 0 to 1. @default {Math.random} */
  readonly random?: () => number;
}

/**
 * Decides which requests are served while more arrive than the server can serve in time.
 *
 * The queues of the listener and of the database are served in order and their rates are measured, so the wait of a new
 * request is known before it enters. A request that would wait too long is rejected at once; an admitted one is served. While the wait is too long,
 * callers with fewer recent requests than the mean are still admitted: the flood of one does not reject the others.
 */
export class Admission {
  readonly #parts: AdmissionParts;
  readonly #rejected = new WeakSet<object>();
  /** Expected waits of requests at their arrival. */
  readonly #arrived = new WeakMap<object, number>();
  /** Recent admitted requests by caller. */
  #counts = new Map<string, number>();
  #total = 0;
  #halvedAt = 0;
  #loggedAt = -Infinity;
  #unlogged = 0;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /**
   * Records the expected wait of a request that arrives, because those that arrive behind it do not lengthen it. Returns
   * true if the request would wait longer than its client is expected to.
   */
  arrive(request: object): boolean {
    const waitMs = this.#expectedWaitMs;
    this.#arrived.set(request, waitMs);
    return waitMs > PATIENCE_MS;
  }

  /**
   * Admits a request of `caller`.
   *
   * @param request Object that {@linkcode arrive} had, and for which {@linkcode wasRejected} returns true if it is
   * rejected.
   * @throws {GridError} `overloaded`.
   */
  admit(caller: string, request?: object): void {
    this.#halve();
    const atArrival = request && this.#arrived.get(request);
    const waitMs = atArrival ?? this.#expectedWaitMs;
    const count = this.#counts.get(caller) ?? 0;
    if (waitMs > MAX_WAIT_MS || waitMs > PATIENCE_MS && !this.#isFew(count)) {
      if (request) this.#rejected.add(request);
      this.#log();
      throw this.#createRejection(waitMs);
    }
    this.#counts.set(caller, count + 1);
    this.#total++;
  }

  /** Reports whether {@linkcode admit} rejected the request. */
  wasRejected(request: object): boolean {
    return this.#rejected.has(request);
  }

  get #expectedWaitMs(): number {
    const { db, ingress } = this.#parts;
    const waitMs = ingress.expectedWaitMs + db.expectedWaitMs();
    return ingress.isFull ? Math.max(waitMs, PATIENCE_MS + 1) : waitMs;
  }

  /** Reports whether a caller with `count` recent requests has fewer than the mean. */
  #isFew(count: number): boolean {
    return count < this.#total / this.#counts.size;
  }

  #halve(): void {
    const now = this.#parts.clock.monotonic();
    if (now - this.#halvedAt < HALF_LIFE_MS) return;
    this.#halvedAt = now;
    const counts = [...this.#counts].flatMap(([caller, count]) =>
      count > 1 ? [[caller, count / 2] as const] : []
    );
    this.#counts = new Map(counts);
    this.#total = counts.reduce((sum, [, count]) => sum + count, 0);
  }

  #createRejection(waitMs: number): GridError {
    const { random = Math.random } = this.#parts;
    const retryAfterSeconds = Math.ceil(
      waitMs / 1_000 + random() * JITTER_SECONDS,
    );
    return new GridError(
      "overloaded",
      `Cannot serve the request now: it would wait longer than ${
        PATIENCE_MS / 1_000
      } s for the requests before it, try again in ${retryAfterSeconds} s`,
      {},
      { retryAfterSeconds },
    );
  }

  #log(): void {
    this.#unlogged++;
    const now = this.#parts.clock.monotonic();
    if (now - this.#loggedAt < LOG_INTERVAL_MS) return;
    log.warning("Too many requests wait: {count} rejected", {
      count: this.#unlogged,
    });
    this.#loggedAt = now;
    this.#unlogged = 0;
  }
}

/**
 * Returns middleware that asks `admission` about the requests of routes that declare it, after the key is checked and
 * before the body is read. Callers without a key are distinguished by their address.
 */
export function admitRequests(
  admission: Admission,
  { trusted_proxies }: Pick<Settings, "trusted_proxies">,
): MiddlewareHandler<GridEnv> {
  const addressOf = createAddressReader(trusted_proxies);
  return async function admitRequest(c, next) {
    const caller = getCaller(c);
    if (c.get("route")?.declaration.isSheddable && !isSelf(caller)) {
      const name = isAnonymous(caller) ? addressOf(c) ?? "" : caller.id;
      admission.admit(name, c.env?.incoming);
    }
    await next();
  };
}
