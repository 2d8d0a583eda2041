import type {
  Client,
  InArgs,
  InStatement,
  Replicated,
  ResultSet,
  Transaction,
  TransactionMode,
} from "@libsql/client";
import { type Clock, systemClock } from "../async/clock.ts";
import { endOfTurn } from "../async/end_of_turn.ts";
import type { Connection } from "./connection.ts";
import type { CallMeasures, DatabaseOperation } from "../core/database.ts";
import { Distribution } from "../core/metrics/histogram.ts";
import { databaseBusy, isBusy, toDatabaseError } from "./driver_errors.ts";
import { isReadOnly } from "./is_read_only.ts";
import { OutageLog } from "./outage_log.ts";
import { RetryQueue } from "./retry_queue.ts";
import { toWellFormed } from "./well_formed.ts";
import { WriteGroup } from "./write_group.ts";

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
  readonly measures: CallMeasures;
}

/** Upper bounds of the times of calls, in seconds. */
export const CALL_BOUNDS: readonly number[] = [
  0.0001,
  0.00025,
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  5,
];

/**
 * A client whose calls wait for the database's lock in order of arrival, without blocking anything else. Reads have a
 * queue of their own, because the lock that writers wait for seldom blocks them.
 *
 * A batch is a transaction that takes the lock at its start, or never if it only reads: it cannot fail half-way because
 * another process has written what it has read.
 *
 * Bound text is made well-formed before it is sent.
 *
 * @throws {GridError} From each method: `database_busy` - it was locked for 5 s, or too many calls wait.
 * `database_unavailable`.
 */
export class QueuedClient implements Client {
  readonly protocol: string;
  readonly measures: Readonly<Record<DatabaseOperation, CallMeasures>>;
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #onCall: () => void;
  readonly #reads: Lane;
  readonly #writes: Lane;
  /** Absent if each batch is a transaction of its own. */
  readonly #group: WriteGroup | undefined;

  constructor(connection: Connection, { clock, onCall }: QueueOptions) {
    this.protocol = connection.client.protocol;
    this.#connection = connection;
    this.#onCall = onCall;
    this.#clock = clock;
    this.#reads = createLane("read", connection, clock);
    this.#writes = createLane("write", connection, clock);
    this.measures = {
      read: this.#reads.measures,
      write: this.#writes.measures,
    };
    const { batchGroup: execute } = connection;
    const nextTurn = () => yieldTurn(clock);
    this.#group = execute && new WriteGroup({ execute, nextTurn });
  }

  get closed(): boolean {
    return this.#connection.client.closed;
  }

  /** Expected time that a read and a write wait for the calls before them. */
  get expectedWaitMs(): number {
    return this.#reads.queue.expectedWaitMs +
      this.#writes.queue.expectedWaitMs;
  }

  /** True while so many calls wait for work in this process that more of them would only take memory. */
  get hasBacklog(): boolean {
    return this.#reads.queue.hasBacklog || this.#writes.queue.hasBacklog;
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
    if (this.#group && chosen === "write") {
      return this.#group.run(statements, (attempt) => this.#call(attempt));
    }
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
    const { queue, outages, measures } = isRead ? this.#reads : this.#writes;
    const calledAt = this.#clock.monotonic();
    try {
      const result = await (isRepeatable ? queue.run(attempt) : attempt());
      outages.recordSuccess();
      return result;
    } catch (error) {
      const translated = toDatabaseError(error);
      if (!client.closed) outages.recordFailure(translated);
      throw translated;
    } finally {
      measures.seconds.observe((this.#clock.monotonic() - calledAt) / 1_000);
    }
  }
}

function createLane(
  kind: "read" | "write",
  { concurrency }: Connection,
  clock: Clock,
): Lane {
  const measures = { seconds: new Distribution(CALL_BOUNDS), busy: 0 };
  const queue = new RetryQueue({
    clock,
    concurrency,
    waitMs: WAIT_MS,
    maxWaiting: MAX_WAITING,
    isPassing(error) {
      const isLocked = isBusy(error);
      if (isLocked) measures.busy++;
      return isLocked;
    },
    createRejection: databaseBusy,
  });
  return { queue, outages: new OutageLog(kind), measures };
}

/** Resolves in the next turn of the event loop. A test's clock does not advance with these turns. */
function yieldTurn(clock: Clock): Promise<void> {
  if (clock !== systemClock) return Promise.resolve();
  return endOfTurn();
}

function readSql(statement: InStatement): string {
  return typeof statement === "string" ? statement : statement.sql;
}
