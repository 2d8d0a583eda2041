import { type Clock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import { GridError } from "../core/errors.ts";
import { gatewayProblems } from "./problems.ts";

/** Timeout of the wait for a slot. A client that reconnects may arrive before the end of its old connection. */
const WAIT_MS = 2_000;

/** Options of {@linkcode ConnectionLimiter.acquire}. */
export interface SlotOptions {
  /** Maximum number of clients of the session. */
  readonly max: number;
  /** Evicts the oldest client if no slot is free. @default {false} */
  readonly takeover?: boolean | undefined;
  readonly signal: AbortSignal;
}

/** A client's connection slot of a session. Disposal frees it for the next client. */
export class Slot implements Disposable {
  readonly #evicted = new AbortController();
  readonly #released = Promise.withResolvers<void>();
  readonly #free: (slot: Slot) => void;

  /** @param free Called when the slot is disposed. */
  constructor(free: (slot: Slot) => void) {
    this.#free = free;
  }

  /** Signal that is aborted when another client takes the slot over. */
  get evicted(): AbortSignal {
    return this.#evicted.signal;
  }

  /** Resolves when the client, and each client that has taken the slot over, has released it. */
  get released(): Promise<void> {
    return this.#released.promise;
  }

  /** Hands the slot over to `successor`. */
  evict(successor: Slot): void {
    this.#released.resolve(successor.released);
    this.#evicted.abort();
  }

  [Symbol.dispose](): void {
    // Has no effect after an eviction: the promise follows the successor's.
    this.#released.resolve();
    this.#free(this);
  }
}

/** The slots of a session. Sets keep the order of insertion: the oldest client is the first. */
interface SessionSlots {
  readonly taken: Set<Slot>;
  readonly waiting: Set<(slot: Slot | undefined) => void>;
}

/** Limits the number of this server's clients of each session. */
export class ConnectionLimiter {
  readonly #clock: Pick<Clock, "sleep">;
  readonly #sessions = new Map<string, SessionSlots>();

  constructor(clock: Pick<Clock, "sleep">) {
    this.#clock = clock;
  }

  /**
   * Acquires a slot of a session. Waits up to 2 s if none is free. The caller disposes the slot.
   *
   * @throws {GridError} `too_many_connections` - no slot became free, or `signal` was aborted before.
   */
  async acquire(
    id: string,
    { max, takeover = false, signal }: SlotOptions,
  ): Promise<Slot> {
    const slots = this.#sessions.get(id) ??
      { taken: new Set(), waiting: new Set() };
    this.#sessions.set(id, slots);
    const [oldest] = slots.taken;
    if (slots.taken.size < max && slots.waiting.size === 0) {
      return this.#occupy(id, slots);
    }
    if (takeover && oldest) {
      const slot = this.#occupy(id, slots);
      slots.taken.delete(oldest);
      oldest.evict(slot);
      return slot;
    }
    const slot = await this.#wait(slots, signal);
    this.#clear(id, slots);
    if (!slot) throw tooManyConnections(id, max);
    return slot;
  }

  #occupy(id: string, slots: SessionSlots): Slot {
    const slot = new Slot((freed) => {
      if (slots.taken.delete(freed)) this.#offer(id, slots);
    });
    slots.taken.add(slot);
    return slot;
  }

  /** Offers a free slot to the client that has waited longest. */
  #offer(id: string, slots: SessionSlots): void {
    const [first] = slots.waiting;
    if (first) first(this.#occupy(id, slots));
    else this.#clear(id, slots);
  }

  async #wait(
    { waiting }: SessionSlots,
    signal: AbortSignal,
  ): Promise<Slot | undefined> {
    using timeout = deadline(this.#clock, WAIT_MS, signal);
    const { promise, resolve } = Promise.withResolvers<Slot | undefined>();
    const settle = (slot: Slot | undefined) => {
      waiting.delete(settle);
      resolve(slot);
    };
    waiting.add(settle);
    if (timeout.signal.aborted) settle(undefined);
    timeout.signal.addEventListener("abort", () => settle(undefined));
    return await promise;
  }

  #clear(id: string, { taken, waiting }: SessionSlots): void {
    if (taken.size + waiting.size === 0) this.#sessions.delete(id);
  }
}

/** Returns the problem for a client that exceeds the session's limit. */
export function tooManyConnections(id: string, max: number): GridError {
  return new GridError(
    gatewayProblems.too_many_connections,
    `Cannot connect to session "${id}": it has ${
      max === 1 ? "its one client" : `its ${max} clients`
    } already, expected at most max_connections; ask for a session with more to share it, or take an old connection over with takeover=true`,
    { session_id: id, max_connections: max },
  );
}

/** Thrown when another client takes over a slot before its client is connected. */
export class EvictedError extends Error {
  /** Response for the evicted client. */
  readonly problem: GridError;
  /** Resolves when the last successor has released the slot. */
  readonly released: Promise<void>;

  constructor(problem: GridError, released: Promise<void>) {
    super(problem.message);
    this.problem = problem;
    this.released = released;
  }
}
