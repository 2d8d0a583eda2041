import { type Clock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import { GridError } from "../core/errors.ts";
import { gatewayProblems } from "./problems.ts";

/** How long a client waits for a place: one that connects again may be faster than the end of its old socket. */
const WAIT_MS = 2_000;

/** A client's place at a session's browser, until disposed. */
export interface Seat extends Disposable {
  /** Aborted when another client takes it over. */
  readonly lost: AbortSignal;
  /** Resolves when whoever has it, and whoever took it over from him, has left. */
  readonly left: Promise<void>;
}

/** How a place is asked for. */
export interface SeatOptions {
  /** Clients that the session takes at once. */
  readonly most: number;
  /** Whether the oldest client must make room when all places are taken. @default {false} */
  readonly takeover?: boolean | undefined;
  readonly signal: AbortSignal;
}

interface OwnSeat extends Seat {
  /** Makes room for `heir`. */
  yieldTo(heir: Seat): void;
}

/** A session's places, oldest client first, and those who wait for one. */
interface Table {
  readonly taken: Set<OwnSeat>;
  readonly waiting: Set<(seat: OwnSeat | undefined) => void>;
}

/** The places of this server's clients, by session: no more of them than a session takes. */
export class Seats {
  readonly #clock: Pick<Clock, "sleep">;
  readonly #tables = new Map<string, Table>();

  constructor(clock: Pick<Clock, "sleep">) {
    this.#clock = clock;
  }

  /**
   * Takes a place; waits 2 s for one when all are taken. Whoever takes it disposes it.
   *
   * @throws {GridError} `too_many_connections` — also when `signal` was aborted before.
   */
  async take(
    id: string,
    { most, takeover = false, signal }: SeatOptions,
  ): Promise<Seat> {
    const table = this.#tables.get(id) ??
      { taken: new Set(), waiting: new Set() };
    this.#tables.set(id, table);
    const [oldest] = table.taken;
    if (table.taken.size < most && table.waiting.size === 0) {
      return this.#sit(id, table);
    }
    if (takeover && oldest) {
      const seat = this.#sit(id, table);
      table.taken.delete(oldest);
      oldest.yieldTo(seat);
      return seat;
    }
    const seat = await this.#wait(table, signal);
    this.#clear(id, table);
    if (!seat) throw tooMany(id, most);
    return seat;
  }

  #sit(id: string, table: Table): OwnSeat {
    const lost = new AbortController();
    const left = Promise.withResolvers<void>();
    let isTakenOver = false;
    const seat: OwnSeat = {
      lost: lost.signal,
      left: left.promise,
      yieldTo(heir) {
        isTakenOver = true;
        left.resolve(heir.left);
        lost.abort();
      },
      [Symbol.dispose]: () => {
        if (!isTakenOver) left.resolve();
        if (table.taken.delete(seat)) this.#offer(id, table);
      },
    };
    table.taken.add(seat);
    return seat;
  }

  /** Gives a place that is free to who waits longest. */
  #offer(id: string, table: Table): void {
    const [first] = table.waiting;
    if (first) first(this.#sit(id, table));
    else this.#clear(id, table);
  }

  async #wait(
    { waiting }: Table,
    signal: AbortSignal,
  ): Promise<OwnSeat | undefined> {
    using patience = deadline(this.#clock, WAIT_MS, signal);
    const { promise, resolve } = Promise.withResolvers<OwnSeat | undefined>();
    const settle = (seat: OwnSeat | undefined) => {
      waiting.delete(settle);
      resolve(seat);
    };
    waiting.add(settle);
    if (patience.signal.aborted) settle(undefined);
    patience.signal.addEventListener("abort", () => settle(undefined));
    return await promise;
  }

  #clear(id: string, { taken, waiting }: Table): void {
    if (taken.size + waiting.size === 0) this.#tables.delete(id);
  }
}

/** The refusal of one client more than a session takes. */
export function tooMany(id: string, most: number): GridError {
  return new GridError(
    gatewayProblems.too_many_connections,
    `Cannot connect to session "${id}": it has ${
      most === 1 ? "its one client" : `its ${most} clients`
    } already, expected at most max_connections; ask for a session with more to share it, or take an old connection over with takeover=true`,
    { session_id: id, max_connections: most },
  );
}

/** A client has lost its place to another before it was connected. */
export class TakenOver extends Error {
  /** What the client is told. */
  readonly refusal: GridError;
  /** Resolves when whoever has taken the place over has left. */
  readonly left: Promise<void>;

  constructor(refusal: GridError, left: Promise<void>) {
    super(refusal.message);
    this.refusal = refusal;
    this.left = left;
  }
}
