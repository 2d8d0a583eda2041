import type {
  Client,
  InArgs,
  InStatement,
  Replicated,
  ResultSet,
  Transaction,
  TransactionMode,
} from "@libsql/client";
import type { Clock } from "../async/clock.ts";
import type { Connection } from "./connection.ts";
import { databaseBusy, isBusy, toDatabaseError } from "./driver_errors.ts";
import { isReadOnly } from "./is_read_only.ts";
import { OutageLog } from "./outage_log.ts";
import { RetryQueue } from "./retry_queue.ts";
import { toWellFormed } from "./well_formed.ts";

/** Longest wait for the database's lock, from the call on. */
const WAIT_MS = 5_000;

/** Maximum number of waiting calls of one kind. Far more than are made at once; each takes a few kilobytes. */
const MAX_WAITING = 10_000;

/** Options of a {@linkcode QueuedClient}. */
export interface QueueOptions {
  readonly clock: Clock;
  /** Called once for each call, which is one round trip; not for repeated tries. */
  readonly onCall: () => void;
}

/** Queue and log of the reads or of the writes. */
interface Lane {
  readonly queue: RetryQueue;
  readonly outages: OutageLog;
}

/**
 * A client whose calls wait for the database's lock in order of arrival, without blocking anything else. Reads have a
 * queue of their own, because the lock that writers wait for seldom blocks them.
 *
 * A batch is a transaction that takes the lock at its start, or never if it only reads: it cannot fail half-way because
 * another process has written what it has read.
 *
 * Bound text is made well-formed before it is sent.
 *
 * @throws {GridError} From each method: `database_busy` — it was locked for 5 s, or too many calls wait.
 * `database_unavailable`.
 */
export class QueuedClient implements Client {
  readonly protocol: string;
  readonly #connection: Connection;
  readonly #onCall: () => void;
  readonly #reads: Lane;
  readonly #writes: Lane;

  constructor(connection: Connection, { clock, onCall }: QueueOptions) {
    this.protocol = connection.client.protocol;
    this.#connection = connection;
    this.#onCall = onCall;
    this.#reads = createLane("read", connection, clock);
    this.#writes = createLane("write", connection, clock);
  }

  get closed(): boolean {
    return this.#connection.client.closed;
  }

  execute(given: InStatement | string, args?: InArgs): Promise<ResultSet> {
    const statement = toWellFormed(
      typeof given === "string" ? [given, args] : given,
    );
    const isRead = isReadOnly(readSql(statement));
    return this.#call((client) => client.execute(statement), { isRead });
  }

  batch(
    given: (InStatement | [string, InArgs?])[],
    mode?: TransactionMode,
  ): Promise<ResultSet[]> {
    const statements = given.map(toWellFormed);
    const isRead = statements.every((each) => isReadOnly(readSql(each)));
    const chosen = mode ?? (isRead ? "read" : "write");
    return this.#call((client) => client.batch(statements, chosen), {
      isRead,
    });
  }

  migrate(given: InStatement[]): Promise<ResultSet[]> {
    const statements = given.map(toWellFormed);
    return this.#call((client) => client.migrate(statements));
  }

  transaction(mode?: TransactionMode): Promise<Transaction> {
    return this.#call((client) => client.transaction(mode));
  }

  /** Is tried once: it is not one transaction, and a second try could repeat a half. */
  executeMultiple(sql: string): Promise<void> {
    return this.#call((client) => client.executeMultiple(sql), {
      isRepeatable: false,
    });
  }

  sync(): Promise<Replicated> {
    return this.#call((client) => client.sync(), { isRead: true });
  }

  reconnect(): void {
    this.#connection.reconnect();
  }

  close(): void {
    this.#connection[Symbol.dispose]();
    this.#reads.queue[Symbol.dispose]();
    this.#writes.queue[Symbol.dispose]();
  }

  async #call<T>(
    act: (client: Client) => Promise<T>,
    { isRead = false, isRepeatable = true } = {},
  ): Promise<T> {
    this.#onCall();
    const { client } = this.#connection;
    const attempt = () => this.#connection.run(() => act(client));
    const { queue, outages } = isRead ? this.#reads : this.#writes;
    try {
      const result = await (isRepeatable ? queue.run(attempt) : attempt());
      outages.recordSuccess();
      return result;
    } catch (error) {
      const translated = toDatabaseError(error);
      if (!client.closed) outages.recordFailure(translated);
      throw translated;
    }
  }
}

function createLane(
  kind: "read" | "write",
  { concurrency }: Connection,
  clock: Clock,
): Lane {
  const queue = new RetryQueue({
    clock,
    concurrency,
    waitMs: WAIT_MS,
    maxWaiting: MAX_WAITING,
    isPassing: isBusy,
    createRejection: databaseBusy,
  });
  return { queue, outages: new OutageLog(kind) };
}

function readSql(statement: InStatement): string {
  return typeof statement === "string" ? statement : statement.sql;
}
