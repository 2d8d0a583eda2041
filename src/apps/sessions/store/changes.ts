import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { countPoolRoom } from "../../workerpool/manager.ts";
import { workPools } from "../../workerpool/models.ts";
import { isOrdered } from "./claim.ts";
import type { Watched } from "../change_poller.ts";
import { sessions } from "../models.ts";
import { isTerminal, SESSION_STATUSES, type SessionStatus } from "../status.ts";

/** What of that which is watched has come to pass. */
export interface Seen {
  readonly sessions: readonly {
    readonly id: string;
    readonly status: SessionStatus;
  }[];
  /** Pools that have sessions to claim, and a worker with room for them. */
  readonly pools: readonly string[];
  /** Workers that have orders. */
  readonly workers: readonly string[];
}

const TERMINAL = sql.raw(
  `('${SESSION_STATUSES.filter(isTerminal).join("', '")}')`,
);

/** Of a session that is not what is waited for. */
const WAITING = sql.raw("('pending', 'starting')");

/** SQL of the lookout. */
export interface LookoutStore {
  /** One round trip. */
  look(ids: Readonly<Record<Watched, readonly string[]>>): Promise<Seen>;
}

/** The store over `db`. */
export function createLookoutStore({ orm }: Database): LookoutStore {
  return {
    async look({ start, end, pool, worker }) {
      const [found, pools, workers] = await orm.batch([
        orm.all<Seen["sessions"][number]>(sql`
          ${sessionsOf(start)} AND ${sessions.status} NOT IN ${WAITING}
          UNION ${sessionsOf(end)} AND ${sessions.status} IN ${TERMINAL}`),
        orm.all<Id>(sql`SELECT ${workPools.id} AS id FROM ${each(pool)}
          CROSS JOIN ${workPools} ON ${workPools.id} = watched.value
          WHERE ${workPools.status} = 'active' AND EXISTS (SELECT 1
            FROM ${sessions} WHERE ${sessions.workPoolId} = ${workPools.id}
            AND ${sessions.status} = 'pending')
          AND ${countPoolRoom()} > 0`),
        orm.all<Id>(sql`SELECT watched.value AS id FROM ${each(worker)}
          WHERE EXISTS (SELECT 1 FROM ${sessions}
            WHERE ${sessions.workerId} = watched.value AND ${isOrdered})`),
      ]);
      return {
        sessions: found,
        pools: pools.map(({ id }) => id),
        workers: workers.map(({ id }) => id),
      };
    },
  };
}

interface Id {
  readonly id: string;
}

/** What is watched comes first in each statement, so that a look costs what is watched, however much there is. */
function each(ids: readonly string[]): SQL {
  return sql`json_each(${JSON.stringify(ids)}) AS watched`;
}

function sessionsOf(ids: readonly string[]): SQL {
  return sql`SELECT ${sessions.id} AS id, ${sessions.status} AS status
    FROM ${each(ids)} CROSS JOIN ${sessions}
    WHERE ${sessions.id} = watched.value`;
}
