import { sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { handovers } from "../models.ts";

/** Maximum number of conditions that one server checks. */
const MAX_CHECKED = 500;

/** A condition that a server checks. */
export interface LeasedCondition {
  readonly id: string;
  readonly sessionId: string;
  readonly url: string | null;
  readonly selector: string | null;
  readonly error: string | null;
}

/** The lease of a server on the conditions that it checks. */
export interface ConditionLease {
  /** Id of the server's process. */
  readonly server: string;
  readonly now: number;
  readonly until: number;
}

/** Leases of conditions: one server at a time checks each. Each method is one round trip. */
export class CheckStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Renews the leases of a server, takes those that no server has, and returns their conditions. */
  async lease(lease: ConditionLease): Promise<readonly LeasedCondition[]> {
    return await leaseConditions(this.#db, lease).leased;
  }

  /** Ends the leases of a server, so that another one takes them at once. */
  async release(server: string): Promise<void> {
    await releaseConditions(this.#db, { server }).released;
  }

  /** Stores why a condition cannot be checked; null if it can. */
  async recordError(id: string, error: string | null): Promise<void> {
    await recordError(this.#db, { id, error }).recorded;
  }
}

const leaseConditions = prepare(({ orm }, bind: Bind<ConditionLease>) => ({
  leased: orm.all<LeasedCondition>(sql`UPDATE ${handovers}
    SET checked_by = ${bind("server")}, checked_until = ${bind("until")}
    WHERE seq IN (SELECT h.seq FROM ${handovers} AS h
      INDEXED BY handovers_checked WHERE h.checked_until IS NOT NULL
      AND (h.checked_until < ${bind("now")}
        OR h.checked_by = ${bind("server")})
      LIMIT ${sql.raw(String(MAX_CHECKED))})
    RETURNING id, session_id AS sessionId, until_url AS url,
      until_selector AS selector, until_error AS error`),
}));

const releaseConditions = prepare((
  { orm },
  bind: Bind<Pick<ConditionLease, "server">>,
) => ({
  released: orm.run(sql`UPDATE ${handovers} SET checked_until = 0
    WHERE seq IN (SELECT h.seq FROM ${handovers} AS h
      INDEXED BY handovers_checked WHERE h.checked_until IS NOT NULL
      AND h.checked_by = ${bind("server")})`),
}));

const recordError = prepare((
  { orm },
  bind: Bind<{ readonly id: string; readonly error: string | null }>,
) => ({
  recorded: orm.run(sql`UPDATE ${handovers} SET until_error = ${bind("error")}
    WHERE id = ${bind("id")} AND status = 'open'`),
}));
