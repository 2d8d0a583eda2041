import { ApiError } from "../client/api_error.ts";

/**
 * The worker's knowledge of whether a server is running.
 *
 * The server counts as unavailable from the first sign until the next response, also through timeouts: after its return
 * the load of all workers may delay some responses. A sign is a refused connection or a response such as 503; as no
 * server is running then, none declares this worker lost. Silence alone is no sign: the server may be running and
 * reachable for every other worker.
 */
export class ServerAvailability {
  #isUnavailable = false;

  /** True if a request since the last response has shown that no server is running. */
  get isUnavailable(): boolean {
    return this.#isUnavailable;
  }

  recordResponse(): void {
    this.#isUnavailable = false;
  }

  recordFailure(error: unknown): void {
    if (!(error instanceof ApiError)) return;
    // Any other status is the response of a running server.
    this.#isUnavailable = error.isUnavailable ||
      this.#isUnavailable && error.status === 0;
  }
}
