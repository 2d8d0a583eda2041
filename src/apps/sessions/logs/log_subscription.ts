import type { FollowedSession, LogPart } from "../store/logs.ts";

/** Maximum number of characters that wait for a client. */
const MAX_WAITING = 262_144;

/** The parts that wait for one client. If there are too many, the oldest are left out and counted. */
export class LogSubscription {
  #waiting: LogPart[] = [];
  #size = 0;
  #omitted = 0;
  #ended: FollowedSession | undefined;
  #wake = () => {};

  /** The session, if it has ended: no part follows those that wait. */
  get ended(): FollowedSession | undefined {
    return this.#ended;
  }

  /** Adds a part. */
  add(part: LogPart): void {
    this.#waiting.push(part);
    this.#size += part.text.length;
    while (this.#size > MAX_WAITING) {
      const oldest = this.#waiting.shift();
      if (!oldest) break;
      this.#size -= oldest.text.length;
      this.#omitted += oldest.omitted + oldest.text.length;
    }
    this.#wake();
  }

  /** Marks the end of the session. */
  end(session: FollowedSession): void {
    this.#ended = session;
    this.#wake();
  }

  /** Waits for parts or the end of the session and returns those that wait; none if `signal` is aborted first. */
  async next(signal: AbortSignal): Promise<readonly LogPart[]> {
    const isEmpty = this.#waiting.length === 0;
    if (isEmpty && !this.#ended && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = () => resolve();
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
      await promise;
      signal.removeEventListener("abort", wake);
    }
    const [first, ...others] = this.#waiting;
    this.#waiting = [];
    this.#size = 0;
    if (!first) return [];
    const omitted = first.omitted + this.#omitted;
    this.#omitted = 0;
    return [{ ...first, omitted }, ...others];
  }
}
