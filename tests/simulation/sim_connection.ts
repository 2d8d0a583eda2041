import { LibsqlError } from "@libsql/client";
import { type Connection, MAX_CONCURRENCY } from "../../src/db/connection.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";

/** Current connection to the database; faults change it. */
export interface DatabaseConditions {
  /** Longest usual way to it, in milliseconds; 0: a file, whose answers take no time. */
  latencyMs: number;
  /** Code of what every call fails with: it is locked by another process, or cannot be reached. */
  failure: "SQLITE_BUSY" | "HRANA_WEBSOCKET_ERROR" | undefined;
  /** Share of calls that are done, but whose answer is lost. */
  lostAnswers: number;
}

/** Timeout of a call without a response. */
const NO_ANSWER_MS = 5_000;

/** Parts of a {@linkcode simConnection}. */
export interface SimConnectionParts {
  readonly process: Process;
  readonly conditions: DatabaseConditions;
  readonly random: Random;
  /** False while the server starts, which is one step. */
  readonly isOpen: () => boolean;
  /** Told after every call that was done. */
  readonly onTrip: () => void;
}

/** A process's connection to the database: slow, blocked, or losing responses. Nothing returns to a dead process. */
export function simConnection(
  real: Connection,
  { process, conditions, random, isOpen, onTrip }: SimConnectionParts,
): Connection {
  async function travel(longestMs: number): Promise<void> {
    if (longestMs > 0) await process.clock.sleep(random.between(0, longestMs));
  }

  async function fail(code: string): Promise<never> {
    if (code !== "SQLITE_BUSY") await travel(NO_ANSWER_MS);
    throw new LibsqlError("there is no database now", code);
  }

  return {
    ...real,
    concurrency: conditions.latencyMs > 0 ? MAX_CONCURRENCY : real.concurrency,
    async run(call) {
      if (!isOpen()) return await real.run(call);
      await travel(conditions.latencyMs);
      if (conditions.failure !== undefined) await fail(conditions.failure);
      const result = await real.run(call);
      onTrip();
      await travel(conditions.latencyMs);
      if (random.chance(conditions.lostAnswers)) {
        await fail("HRANA_CLOSED_ERROR");
      }
      return result;
    },
  };
}
