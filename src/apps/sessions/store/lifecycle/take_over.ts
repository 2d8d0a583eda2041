import type { ResultSet } from "@libsql/client";
import { and, inArray, type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Statement } from "../../../../core/database.ts";
import { workers } from "../../../workers/models.ts";
import { sessions } from "../../models.ts";
import { HELD_STATUSES, type SessionStatus } from "../../status.ts";

/** A session that a worker holds. */
export interface LeasedSession {
  readonly id: string;
  readonly fencingToken: number;
  readonly status: SessionStatus;
  readonly traceparent: string | null;
}

/** The worker whose sessions a registration takes over. Both conditions are SQL over `workers`. */
export interface TakeOverScope {
  /** The worker whose earlier process this registration replaces; evaluated before the worker's row is updated. */
  readonly replaced: SQL;
  /** The worker after its row was updated. */
  readonly registered: SQL;
  /** Path that the new process requests; null leaves the choice to the server. */
  readonly reach: "direct" | "tunnel" | null;
}

/** Statements of a registration, to be run in this order, with the update of the worker between the two. */
export interface TakeOverStatements {
  /** Raises the fencing tokens, so that later messages of the earlier process are rejected, and renews the leases. */
  readonly raise: Statement<ResultSet>;
  readonly held: Statement<LeasedSession[]>;
}

/** Returns the statements by which a worker's new process takes over the sessions that the worker holds. */
export function takeOver(
  orm: LibSQLDatabase,
  { replaced, registered, reach }: TakeOverScope,
  { now, leaseMs }: { readonly now: number; readonly leaseMs: number },
): TakeOverStatements {
  const isHeldBy = (condition: SQL) =>
    and(
      inArray(
        sessions.workerId,
        orm.select({ id: workers.id }).from(workers).where(condition),
      ),
      inArray(sessions.status, [...HELD_STATUSES]),
    );
  return {
    raise: orm.update(sessions).set({
      fencingToken: sql`${sessions.fencingToken} + 1`,
      leaseExpiresAt: now + leaseMs,
      // A known path stays until a better one is known: without it, the server would dial an address that is not
      // proven.
      ...(reach === null ? {} : { reach }),
    }).where(isHeldBy(replaced)),
    held: orm.select({
      id: sessions.id,
      fencingToken: sessions.fencingToken,
      status: sessions.status,
      traceparent: sessions.traceparent,
    }).from(sessions).where(isHeldBy(registered)),
  };
}
