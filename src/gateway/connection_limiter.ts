import { type Clock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import { GridError } from "../core/errors.ts";
import { gatewayProblems } from "./problems.ts";

/** How long a client waits for a place: one that connects again may be faster than the end of its old socket. */
const WAIT_MS = 2_000;

/** A client's place at a session's browser, until disposed. */
export interface Slot extends Disposable {
  /** Aborted when another client takes it over. */
  readonly evicted: AbortSignal;
  /** Resolves when whoever has it, and whoever took it over from him, has left. */
  readonly released: Promise<void>;
}

/** How a place is asked for. */
export interface SlotOptions {
  /** Clients that the session takes at once. */
  readonly max: number;
  /** Whether the oldest client must make room when all places are taken. @default {false} */
  readonly takeover?: boolean | undefined;
  readonly signal: AbortSignal;
}

interface HeldSlot extends Slot {
  /** Makes room for `heir`. */
  evict(heir: Slot): void;
}

/** A session's places, oldest client first, and those who wait for one. */
interface SessionSlots {
  readonly taken: Set<HeldSlot>;
  readonly waiting: Set<(slot: HeldSlot | undefined) => void>;
}

/** The places of this server's clients, by session: no more of them than a session takes. */
export class ConnectionLimiter {
  readonly #clock: Pick<Clock, "sleep">;
  readonly #sessions = new Map<string, SessionSlots>();

  constructor(clock: Pick<Clock, "sleep">) {
    this.#clock = clock;
  }

  /**
   * Takes a place; waits 2 s for one when all are taken. Whoever takes it disposes it.
   *
   * @throws {GridError} `too_many_connections` — also when `signal` was aborted before.
   */
  async acquire(
    id: string,
    { max, takeover = false, signal }: SlotOptions,
  ): Promise<Slot> {
    const table = this.#sessions.get(id) ??
      { taken: new Set(), waiting: new Set() };
    this.#sessions.set(id, table);
    const [oldest] = table.taken;
    if (table.taken.size < max && table.waiting.size === 0) {
      return this.#occupy(id, table);
    }
    if (takeover && oldest) {
      const slot = this.#occupy(id, table);
      table.taken.delete(oldest);
      oldest.evict(slot);
      return slot;
    }
    const slot = await this.#wait(table, signal);
    this.#clear(id, table);
    if (!slot) throw tooManyConnections(id, max);
    return slot;
  }

  #occupy(id: string, table: SessionSlots): HeldSlot {
    const lost = new AbortController();
    const left = Promise.withResolvers<void>();
    let isTakenOver = false;
    const slot: HeldSlot = {
      evicted: lost.signal,
      released: left.promise,
      evict(heir) {
        isTakenOver = true;
        left.resolve(heir.released);
        lost.abort();
      },
      [Symbol.dispose]: () => {
        if (!isTakenOver) left.resolve();
        if (table.taken.delete(slot)) this.#offer(id, table);
      },
    };
    table.taken.add(slot);
    return slot;
  }

  /** Gives a place that is free to who waits longest. */
  #offer(id: string, table: SessionSlots): void {
    const [first] = table.waiting;
    if (first) first(this.#occupy(id, table));
    else this.#clear(id, table);
  }

  async #wait(
    { waiting }: SessionSlots,
    signal: AbortSignal,
  ): Promise<HeldSlot | undefined> {
    using timeout = deadline(this.#clock, WAIT_MS, signal);
    const { promise, resolve } = Promise.withResolvers<HeldSlot | undefined>();
    const settle = (slot: HeldSlot | undefined) => {
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

/** The refusal of one client more than a session takes. */
export function tooManyConnections(id: string, max: number): GridError {
  return new GridError(
    gatewayProblems.too_many_connections,
    `Cannot connect to session "${id}": it has ${
      max === 1 ? "its one client" : `its ${max} clients`
    } already, expected at most max_connections; ask for a session with more to share it, or take an old connection over with takeover=true`,
    { session_id: id, max_connections: max },
  );
}

/** A client has lost its place to another before it was connected. */
export class EvictedError extends Error {
  /** What the client is told. */
  readonly problem: GridError;
  /** Resolves when whoever has taken the place over has left. */
  readonly released: Promise<void>;

  constructor(refusal: GridError, left: Promise<void>) {
    super(refusal.message);
    this.problem = refusal;
    this.released = left;
  }
}
