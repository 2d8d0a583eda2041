import { type SQL, sql } from "drizzle-orm";
import type { Clock } from "../../async/clock.ts";
import { nextTurn } from "../../async/next_turn.ts";
import type { Database } from "../../core/database.ts";
import { batchNamed } from "../batch_named.ts";
import { type Bind, prepare } from "../prepare.ts";
import { groupColumns, type Series } from "./series.ts";

/** Age at which the measurements of a minute become one row. */
const RAW_MS = 60 * 60_000;

const MINUTE_MS = 60_000;

/** Maximum number of measurements that one step replaces. */
const MAX_ROWS = 1_000;

/** Longest time of one pass. */
const MAX_PASS_MS = 1_000;

/** Replaces old measurements of a series by one row a minute, in steps of some milliseconds. */
export class SeriesRollUp {
  readonly #db: Database;
  readonly #clock: Pick<Clock, "now" | "monotonic">;
  readonly #statements: ReturnType<typeof prepareStep>;
  #nextAt = -Infinity;

  constructor(
    { db, clock }: {
      readonly db: Database;
      readonly clock: Pick<Clock, "now" | "monotonic">;
    },
    series: Series,
  ) {
    this.#db = db;
    this.#clock = clock;
    this.#statements = prepareStep(series);
  }

  /**
   * Makes one pass, and returns the number of replaced measurements. Other work has its turn between two steps; what is
   * left after a second is replaced in the next pass.
   *
   * One round trip a minute if there is nothing to replace, and two for each step: the search must not block writes.
   */
  async runOnce(): Promise<number> {
    const startedAt = this.#clock.monotonic();
    if (startedAt < this.#nextAt) return 0;
    // The measurements of whole minutes.
    const minutes = Math.floor((this.#clock.now() - RAW_MS) / MINUTE_MS);
    const step = this.#statements(this.#db, { before: minutes * MINUTE_MS });
    for (let total = 0;;) {
      const isDue = (await step.due).length > 0;
      if (isDue) {
        // Another server may have replaced them since the search: each statement searches again.
        const { removed } = await batchNamed(this.#db.orm, {
          inserted: step.inserted,
          removed: step.removed,
        });
        total += removed.rowsAffected;
      }
      const now = this.#clock.monotonic();
      if (!isDue) this.#nextAt = now + MINUTE_MS;
      if (!isDue || now >= startedAt + MAX_PASS_MS) return total;
      await nextTurn();
    }
  }
}

function prepareStep(series: Series) {
  const { table, key } = series;
  const { seq, spanSeconds, timestamp } = table;
  const grouped = groupColumns(series);
  const names = [key, ...grouped.map(({ column }) => column), spanSeconds];
  const minuteMs = sql.raw(String(MINUTE_MS));
  const minute = sql`${timestamp} / ${minuteMs} * ${minuteMs}`;
  return prepare(({ orm }, bind: Bind<{ readonly before: number }>) => {
    const old = (limit: number): SQL =>
      sql`SELECT ${seq} FROM ${table} WHERE ${spanSeconds} = 0
        AND ${timestamp} < ${bind("before")}
        ORDER BY ${timestamp}, ${seq} LIMIT ${sql.raw(String(limit))}`;
    return {
      due: orm.all<unknown>(old(1)),
      inserted: orm.run(
        sql`INSERT INTO ${table} (${
          sql.join(names.map(({ name }) => sql.identifier(name)), sql`, `)
        }, timestamp)
        SELECT ${key}, ${
          sql.join(grouped.map(({ value }) => value), sql`, `)
        }, 60, ${minute}
        FROM ${table} WHERE ${seq} IN (${old(MAX_ROWS)})
        GROUP BY ${key}, ${minute}`,
      ),
      removed: orm.run(
        sql`DELETE FROM ${table} WHERE ${seq} IN (${old(MAX_ROWS)})`,
      ),
    };
  });
}
