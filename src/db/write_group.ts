import type { InStatement, ResultSet } from "@libsql/client";
import type { BatchOutcome, Connection } from "./connection.ts";

/** Maximum number of waiting batches that are offered to a group. A group has time for fewer. */
const MAX_OTHERS = 100;

/** A batch from its call to its outcome. */
interface GroupedBatch {
  readonly statements: readonly InStatement[];
  outcome?: BatchOutcome;
}

/** Executes a group. See {@linkcode Connection.batchGroup}. */
type ExecuteGroup = NonNullable<Connection["batchGroup"]>;

/** Options of a {@linkcode WriteGroup}. */
export interface WriteGroupOptions {
  readonly execute: ExecuteGroup;
  /** Resolves after the sockets that are ready were read, whose requests then join the group. */
  readonly nextTurn: () => Promise<void>;
}

/**
 * Commits write batches that wait at the same time in one transaction, because a commit writes each changed page, and
 * takes longer than most batches.
 *
 * ```text
 * queue of writes:   a    b    c    d        a has its turn: begin, a, b, c, d, commit
 *                    |    +----+----+--      b, c, d have their turns: return their outcome
 * ```
 */
export class WriteGroup {
  readonly #options: WriteGroupOptions;
  readonly #waiting = new Set<GroupedBatch>();

  constructor(options: WriteGroupOptions) {
    this.#options = options;
  }

  /**
   * Adds a batch and calls `inTurn` with the attempt to execute it, which may be repeated while it fails. The attempts
   * of all batches must be made one at a time, in the order of the calls.
   */
  async run(
    statements: readonly InStatement[],
    inTurn: (attempt: () => Promise<ResultSet[]>) => Promise<ResultSet[]>,
  ): Promise<ResultSet[]> {
    const batch: GroupedBatch = { statements };
    this.#waiting.add(batch);
    try {
      return await inTurn(() => this.#attempt(batch));
    } finally {
      this.#waiting.delete(batch);
    }
  }

  async #attempt(batch: GroupedBatch): Promise<ResultSet[]> {
    const outcome = batch.outcome ?? await this.#executeWith(batch);
    if ("error" in outcome) throw outcome.error;
    return outcome.results;
  }

  /** Executes the batch that has its turn, and the waiting ones with it. */
  async #executeWith(batch: GroupedBatch): Promise<BatchOutcome> {
    // If it fails, only its own next attempt may execute it.
    this.#waiting.delete(batch);
    await this.#options.nextTurn();
    const others = this.#waiting.values().take(MAX_OTHERS).toArray();
    const [outcome, ...rest] = await this.#options.execute(
      [batch, ...others].map(({ statements }) => statements),
    );
    if (!outcome) throw new TypeError("Cannot execute a batch: no outcome");
    rest.forEach((each, at) => {
      const other = others[at];
      if (!other) return;
      other.outcome = each;
      this.#waiting.delete(other);
    });
    return outcome;
  }
}
