import type {
  Client,
  InArgs,
  InStatement,
  TransactionMode,
} from "@libsql/client";
import type { Clock } from "../async/clock.ts";
import type { Connection } from "./connection.ts";
import { databaseBusy, isBusy, toDatabaseError } from "./driver_errors.ts";
import { RetryQueue } from "./retry_queue.ts";
import { createOutageLog } from "./outage_log.ts";
import { isReadOnly } from "./is_read_only.ts";
import { wellFormed } from "./well_formed.ts";

/** Longest wait for the database's lock, from the call on. */
const WAIT_MS = 5_000;

/** Calls of one kind that may wait. Far more than are made in one moment: a few kilobytes each. */
const MAX_WAITING = 10_000;

/** How calls are queued, and who is told of them. */
export interface QueueOptions {
  readonly clock: Clock;
  /** Told of each call, which is one round trip; not of repeated tries. */
  readonly onCall: () => void;
}

/**
 * The connection's client, whose calls wait for the database's lock in line, without holding up anything else. Reads
 * have a line of their own: the lock that writers wait for is seldom in their way.
 *
 * A batch is a transaction that takes the lock at its start, or never if it only reads: it cannot find out half-way that
 * another process has written what it has read.
 *
 * What is bound to a statement is made well-formed, so that no text can hurt the database or whoever reads it.
 *
 * @throws {GridError} From each method: `database_busy` — when it was locked for 5 s, or too many wait. `database_unavailable`
 */
export function queuedClient(
  connection: Connection,
  { clock, onCall }: QueueOptions,
): Client {
  const { client } = connection;
  const kinds = { read: kindOf("read"), write: kindOf("write") };
  async function call<T>(
    act: () => Promise<T>,
    { isRead = false, isRepeatable = true } = {},
  ): Promise<T> {
    onCall();
    const attempt = () => connection.run(act);
    const { line, outage } = isRead ? kinds.read : kinds.write;
    try {
      const result = await (isRepeatable ? line.run(attempt) : attempt());
      outage.worked();
      return result;
    } catch (error) {
      const refusal = toDatabaseError(error);
      if (!client.closed) outage.failed(refusal);
      throw refusal;
    }
  }
  function kindOf(kind: "read" | "write") {
    return { line: lineOf(connection, clock), outage: createOutageLog(kind) };
  }
  return {
    execute(given: InStatement, args?: InArgs) {
      const statement = wellFormed(
        typeof given === "string" ? [given, args] : given,
      );
      const isRead = isReadOnly(sqlOf(statement));
      return call(() => client.execute(statement), { isRead });
    },
    batch(given, mode) {
      const statements = given.map(wellFormed);
      const isRead = statements.every((each) => isReadOnly(sqlOf(each)));
      const chosen = mode ?? (isRead ? "read" : "write");
      return call(() => client.batch(statements, chosen), { isRead });
    },
    migrate(given) {
      const statements = given.map(wellFormed);
      return call(() => client.migrate(statements));
    },
    transaction: (mode?: TransactionMode) =>
      call(() => client.transaction(mode)),
    // Not one transaction: a second try could repeat a half.
    executeMultiple: (sql) =>
      call(() => client.executeMultiple(sql), { isRepeatable: false }),
    sync: () => call(() => client.sync(), { isRead: true }),
    reconnect: () => connection.reconnect(),
    close() {
      connection[Symbol.dispose]();
      kinds.read.line[Symbol.dispose]();
      kinds.write.line[Symbol.dispose]();
    },
    get closed() {
      return client.closed;
    },
    protocol: client.protocol,
  };
}

function lineOf({ concurrency: places }: Connection, clock: Clock): RetryQueue {
  return new RetryQueue({
    clock,
    concurrency: places,
    waitMs: WAIT_MS,
    maxWaiting: MAX_WAITING,
    isPassing: isBusy,
    createRejection: databaseBusy,
  });
}

function sqlOf(statement: InStatement): string {
  return typeof statement === "string" ? statement : statement.sql;
}
