import { ApiError } from "../client/api_error.ts";

/**
 * What the worker knows of a server that it does not reach.
 *
 * A connection that is refused, or an answer that says "not now", shows that no server is there, and so that none gives
 * up on anybody. Silence shows nothing: the server may well be there, for everybody but this worker.
 */
export class ServerSight {
  #isAway = false;

  /** Whether the last attempt has shown that no server is there. */
  get isAway(): boolean {
    return this.#isAway;
  }

  answered(): void {
    this.#isAway = false;
  }

  failed(error: unknown): void {
    this.#isAway = error instanceof ApiError && error.saysAway;
  }
}
