import { systemClock } from "../async/clock.ts";
import { GridError } from "../core/errors.ts";
import { createLogger } from "../core/log.ts";

const log = createLogger("core", "db");

/** Minimum time between two logged outages, so that a database that works now and then does not fill the log. */
const PERIOD_MS = 10_000;

/** Logs for the operator why the database cannot be used. Clients receive only that it cannot. */
export class OutageLog {
  readonly #kind: "read" | "write";
  #loggedAt = -Infinity;
  #isOut = false;

  /** @param kind Kind of the calls: with a full disk, reads work and writes do not. */
  constructor(kind: "read" | "write") {
    this.#kind = kind;
  }

  /** Logs the first failure of a streak, unless it is an error of the statement. */
  recordFailure(error: unknown): void {
    const now = systemClock.monotonic();
    if (!(error instanceof GridError) || this.#isOut) return;
    if (now - this.#loggedAt < PERIOD_MS) return;
    this.#loggedAt = now;
    this.#isOut = true;
    log.error("Cannot {kind} the database: {error}", {
      kind: this.#kind,
      error: error.cause ?? error,
    });
  }

  /** Logs the end of a streak that was logged. */
  recordSuccess(): void {
    if (!this.#isOut) return;
    this.#isOut = false;
    log.info("The database can {kind} again", { kind: this.#kind });
  }
}
