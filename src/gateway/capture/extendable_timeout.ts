import { type Clock, systemClock } from "../../async/clock.ts";
import { GridError } from "../../core/errors.ts";
import { browserUnreachable } from "../dialer.ts";
import { gatewayProblems } from "../problems.ts";

/** Longest time without data from the browser, shorter than the 30 s timeout of common clients and load balancers. */
const CAPTURE_TIMEOUT_MS = 25_000;

/** A timeout that starts when it is created and can be extended. Disposal clears its timer. */
export class ExtendableTimeout implements Disposable {
  readonly #clock: Pick<Clock, "sleep">;
  readonly #ms: number;
  readonly #expired = new AbortController();
  #sleep = new AbortController();

  constructor(
    clock: Pick<Clock, "sleep"> = systemClock,
    ms: number = CAPTURE_TIMEOUT_MS,
  ) {
    this.#clock = clock;
    this.#ms = ms;
    this.extend();
  }

  /** Signal that is aborted with `browser_timeout` when the time is over. */
  get signal(): AbortSignal {
    return this.#expired.signal;
  }

  /** Restarts the timeout with its full length. */
  extend(): void {
    this.#sleep.abort();
    this.#sleep = new AbortController();
    void this.#clock.sleep(this.#ms, this.#sleep.signal).then(
      () => this.#expired.abort(browserTimeout(this.#ms)),
      () => {}, // The timeout was extended or disposed.
    );
  }

  [Symbol.dispose](): void {
    this.#sleep.abort();
  }
}

/** Returns the problem for an aborted signal. A client that has disconnected does not receive it. */
export function toAbortProblem({ reason }: AbortSignal): GridError {
  return reason instanceof GridError ? reason : browserUnreachable(reason);
}

function browserTimeout(ms: number): GridError {
  return new GridError(
    gatewayProblems.browser_timeout,
    `Cannot capture the page: the browser does not respond within ${
      ms / 1_000
    } s, expected a page in front, without an open dialog, whose scripts end`,
  );
}
