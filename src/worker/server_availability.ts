import { ApiError } from "../client/api_error.ts";

/**
 * What the worker knows of a server that it does not reach.
 *
 * It is away from the first sign of that until an answer: one that comes back under the load of all its workers may well
 * keep some of them waiting. A connection that is refused, or an answer that says "not now", shows that no server is there, and so that none gives
 * up on anybody. Silence shows nothing: the server may well be there, for everybody but this worker.
 */
export class ServerAvailability {
  #isUnavailable = false;

  /** Whether an attempt since the last answer has shown that no server is there. */
  get isUnavailable(): boolean {
    return this.#isUnavailable;
  }

  recordResponse(): void {
    this.#isUnavailable = false;
  }

  recordFailure(error: unknown): void {
    if (!(error instanceof ApiError)) return;
    // Any other status is an answer by a server that is there.
    this.#isUnavailable = error.isUnavailable ||
      this.#isUnavailable && error.status === 0;
  }
}
