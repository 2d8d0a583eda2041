import { LibsqlError } from "@libsql/client";
import { type Database, databaseOver } from "../../src/core/db/client.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";

/** How the database is reached now; faults change it. */
export interface DatabaseConditions {
  /** Longest usual way to it, in milliseconds; 0: a file, whose answers take no time. */
  latencyMs: number;
  /** Another process has locked it. */
  isLocked: boolean;
  /** Share of statements that are done, but whose answer is lost. */
  lostAnswers: number;
}

/** How long a statement waits for a lock. */
const BUSY_MS = 5_000;

/** What goes over the wire. */
const TRIPS = new Set(["execute", "batch"]);

/** The database as one process reaches it: slow, locked, or with answers that are lost. Nothing returns to a dead process. */
export function simDatabase(
  real: Database,
  { process, conditions, random, isOpen, onTrip }: {
    readonly process: Process;
    readonly conditions: DatabaseConditions;
    readonly random: Random;
    /** False while the server starts, which is one step. */
    readonly isOpen: () => boolean;
    /** Told after every statement that was done. */
    readonly onTrip: () => void;
  },
): Database {
  async function travel(): Promise<void> {
    const { latencyMs } = conditions;
    if (latencyMs > 0) await process.clock.sleep(random.between(0, latencyMs));
  }

  async function trip(work: () => Promise<unknown>): Promise<unknown> {
    if (!isOpen()) return await work();
    await travel();
    if (conditions.isLocked) {
      await process.clock.sleep(random.between(0, BUSY_MS));
      throw new LibsqlError("database is locked", "SQLITE_BUSY");
    }
    const result = await work();
    onTrip();
    await travel();
    if (random.chance(conditions.lostAnswers)) {
      throw new LibsqlError("connection lost", "HRANA_CLOSED_ERROR");
    }
    return result;
  }

  return databaseOver(
    new Proxy(real.client, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        if (typeof name !== "string" || !TRIPS.has(name)) {
          return member.bind(target);
        }
        return (...values: unknown[]) =>
          trip(() => Reflect.apply(member, target, values));
      },
    }),
  );
}
