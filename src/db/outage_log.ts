import { systemClock } from "../async/clock.ts";
import { GridError } from "../core/errors.ts";
import { logOf } from "../core/log.ts";

const log = logOf("core", "db");

/** A database that works now and then is not logged more often than this. */
const PERIOD_MS = 10_000;

/** Tells the operator why the database cannot be used: clients are told only that it cannot. */
export interface OutageLog {
  /** Logs the first refusal of a streak. */
  failed(error: unknown): void;
  /** Logs the end of a streak that was logged. */
  worked(): void;
}

/** @param kind `read` or `write`: with a full disk, one works and the other does not. */
export function createOutageLog(kind: "read" | "write"): OutageLog {
  let loggedAt = -Infinity;
  let isOut = false;
  return {
    failed(error) {
      const now = systemClock.monotonic();
      if (!(error instanceof GridError) || isOut) return;
      if (now - loggedAt < PERIOD_MS) return;
      loggedAt = now;
      isOut = true;
      log.error("Cannot {kind} the database: {error}", {
        kind,
        error: error.cause ?? error,
      });
    },
    worked() {
      if (!isOut) return;
      isOut = false;
      log.info("The database can {kind} again", { kind });
    },
  };
}
