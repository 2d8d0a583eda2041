import { type Clock, systemClock } from "../../async/clock.ts";
import { GridError } from "../../core/errors.ts";
import { browserUnreachable } from "../dialer.ts";
import { gatewayProblems } from "../problems.ts";

/** Longest time without anything from the browser: less than the 30 s after which clients and load balancers give up. */
export const CAPTURE_TIMEOUT_MS = 25_000;

/** A deadline that can be put off. Its disposal leaves no timer. */
export interface ExtendableTimeout extends Disposable {
  /** Aborted with `browser_timeout` when it has passed. */
  readonly signal: AbortSignal;
  /** Counts from the beginning again. */
  extend(): void;
}

/** Begins to wait for a browser. */
export function timeoutAfter(
  clock: Pick<Clock, "sleep"> = systemClock,
  ms: number = CAPTURE_TIMEOUT_MS,
): ExtendableTimeout {
  const over = new AbortController();
  let counting = new AbortController();
  function renew(): void {
    counting.abort();
    counting = new AbortController();
    void clock.sleep(ms, counting.signal).then(
      () => over.abort(browserTimeout(ms)),
      () => {}, // It is put off, or nobody waits any more.
    );
  }
  renew();
  return {
    signal: over.signal,
    extend: renew,
    [Symbol.dispose]: () => counting.abort(),
  };
}

/** The refusal that an aborted signal stands for. One who has gone does not hear it. */
export function toAbortProblem({ reason }: AbortSignal): GridError {
  return reason instanceof GridError ? reason : browserUnreachable(reason);
}

function browserTimeout(ms: number): GridError {
  return new GridError(
    gatewayProblems.browser_timeout,
    `Cannot look at the page: the browser does not answer within ${
      ms / 1_000
    } s, expected a page in front, without an open dialog, whose scripts end`,
  );
}
