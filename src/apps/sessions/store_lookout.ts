import { and, eq, inArray, or, sql } from "drizzle-orm";
import type { Database } from "../../core/db/client.ts";
import { workPools } from "../workerpool/models.ts";
import { isOrdered } from "./claim.ts";
import type { Watched } from "./lookout.ts";
import { sessions } from "./models.ts";
import { isTerminal, SESSION_STATUSES, type SessionStatus } from "./status.ts";

/** What of that which is watched has come to pass. */
export interface Seen {
  readonly sessions: readonly {
    readonly id: string;
    readonly status: SessionStatus;
  }[];
  /** Pools that have sessions to claim. */
  readonly pools: readonly string[];
  /** Workers that have orders. */
  readonly workers: readonly string[];
}

/** SQL of the lookout. */
export interface LookoutStore {
  /** One round trip. */
  look(ids: Readonly<Record<Watched, readonly string[]>>): Promise<Seen>;
}

const TERMINAL = SESSION_STATUSES.filter(isTerminal);

/** Statuses of a session that is neither waiting nor starting. */
const STARTED = SESSION_STATUSES.filter((status) =>
  status !== "pending" && status !== "starting"
);

/** The store over `db`. */
export function createLookoutStore({ orm }: Database): LookoutStore {
  return {
    async look({ start, end, pool, worker }) {
      const [found, pools, workers] = await orm.batch([
        orm.select({ id: sessions.id, status: sessions.status }).from(sessions)
          .where(or(
            and(among(sessions.id, start), inArray(sessions.status, STARTED)),
            and(among(sessions.id, end), inArray(sessions.status, TERMINAL)),
          )),
        orm.selectDistinct({ id: sessions.workPoolId }).from(sessions)
          .innerJoin(workPools, eq(workPools.id, sessions.workPoolId))
          .where(and(
            among(sessions.workPoolId, pool),
            eq(sessions.status, "pending"),
            eq(workPools.status, "active"),
          )),
        orm.selectDistinct({ id: sql<string>`${sessions.workerId}` })
          .from(sessions).where(
            and(among(sessions.workerId, worker), isOrdered),
          ),
      ]);
      return {
        sessions: found,
        pools: pools.map(({ id }) => id),
        workers: workers.map(({ id }) => id),
      };
    },
  };
}

/** One bound value, however many ids. */
function among(
  column:
    | typeof sessions.id
    | typeof sessions.workPoolId
    | typeof sessions.workerId,
  ids: readonly string[],
) {
  return sql`${column} IN (SELECT value FROM json_each(${
    JSON.stringify(ids)
  }))`;
}
