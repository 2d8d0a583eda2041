import { type Clock, systemClock } from "../../async/clock.ts";
import { endOfTurn } from "../../async/end_of_turn.ts";
import { nextTurn } from "../../async/next_turn.ts";
import { WaitEstimate } from "../../async/wait_estimate.ts";

/** Time of a turn of the event loop after which its further requests wait. */
const SLICE_MS = 10;

/** Waiting requests that are started together. Their writes share a transaction. */
const BATCH = 32;

/**
 * Number of waiting requests from which on more of them slow down all: each has a connection, and the garbage collector
 * visits the objects of all.
 */
const MAX_WAITING = 1_500;

/** Maximum number of waiting requests in a queue that stands: further ones only wait longer. */
const MAX_STANDING = 200;

/** Time after which a queue that has not become empty stands. A burst is served within it. */
const STANDING_MS = 500;

/** A turn that took longer has served sockets; a timer alone takes 1 ms. */
const BUSY_TURN_MS = 2;

/** Longest time between two slices in which sockets are read. */
const READ_MS = 20;

/** Options of an {@linkcode Ingress}. */
export interface IngressOptions {
  readonly clock?: Pick<Clock, "monotonic">;
  /** Reports whether the started requests suffice for now: further ones would only take memory. */
  readonly isBusy: () => boolean;
}

/**
 * The queue of requests that have arrived and were not started yet, in order of arrival. It is empty unless more arrive
 * in a turn of the event loop than 10 ms suffice for, or the database has a backlog.
 *
 * Reading a request takes a tenth of the time of serving it. If each were served as soon as it is read, a flood would
 * stay in the sockets, where its length is unknown. Here it is known, so that what would wait too long is rejected at
 * once, and a waiting request takes little memory.
 */
export class Ingress {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #isBusy: () => boolean;
  readonly #waiting: (() => void)[] = [];
  readonly #estimate = new WaitEstimate();
  /** Time since which the queue has not been empty. */
  #waitingSince = 0;
  /** Start of the first request of this turn. */
  #turnStart: number | undefined;

  constructor({ clock = systemClock, isBusy }: IngressOptions) {
    this.#clock = clock;
    this.#isBusy = isBusy;
  }

  /** Expected time that a new request waits for its start, in milliseconds. */
  get expectedWaitMs(): number {
    return this.#estimate.expectMs(this.#waiting.length);
  }

  /** True while further requests should be rejected. */
  get isFull(): boolean {
    const { length } = this.#waiting;
    if (length < MAX_STANDING) return false;
    const isStanding =
      this.#clock.monotonic() - this.#waitingSince > STANDING_MS;
    return isStanding || length >= MAX_WAITING;
  }

  /**
   * Starts a request now or in its turn.
   *
   * @param isUrgent Reports whether it may be started before those that wait. Called only if there are some.
   */
  enter(start: () => void, isUrgent: () => boolean): void {
    const isFree = this.#waiting.length === 0 && !this.#isBusy();
    if ((isFree || isUrgent()) && this.#hasTime()) return start();
    this.#waiting.push(start);
    if (this.#waiting.length === 1) void this.#startWaiting();
  }

  #hasTime(): boolean {
    const now = this.#clock.monotonic();
    if (this.#turnStart === undefined) {
      this.#turnStart = now;
      void endOfTurn().then(() => this.#turnStart = undefined);
    }
    return now - this.#turnStart < SLICE_MS;
  }

  async #startWaiting(): Promise<void> {
    let endedAt = this.#clock.monotonic();
    this.#waitingSince = endedAt;
    while (this.#waiting.length > 0) {
      await this.#readSockets();
      const until = this.#clock.monotonic() + SLICE_MS;
      while (
        this.#waiting.length > 0 && !this.#isBusy() &&
        this.#clock.monotonic() < until
      ) {
        const batch = this.#waiting.splice(0, BATCH);
        for (const start of batch) start();
        // They run until each waits for the database.
        await endOfTurn();
        const now = this.#clock.monotonic();
        for (const _ of batch) {
          this.#estimate.add((now - endedAt) / batch.length);
        }
        endedAt = now;
      }
    }
  }

  /**
   * Lets the requests in the sockets enter. Each turn reads a part of the sockets, and only after a pause: as long as
   * turns follow each other without one, Deno asks for ready sockets in each 61st.
   */
  async #readSockets(): Promise<void> {
    const until = this.#clock.monotonic() + READ_MS;
    for (let now = this.#clock.monotonic(); now < until;) {
      const startedAt = now;
      await nextTurn();
      now = this.#clock.monotonic();
      if (now - startedAt < BUSY_TURN_MS) return;
    }
  }
}
