import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { countPoolRoom } from "../../workerpool/manager.ts";
import { workPools } from "../../workerpool/models.ts";
import { hasStopCommand } from "./claim.ts";
import type { WatchTarget } from "../change_poller.ts";
import { sessions } from "../models.ts";
import { isTerminal, SESSION_STATUSES, type SessionStatus } from "../status.ts";

/** What of that which is watched has come to pass. */
export interface PolledChanges {
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
export interface ChangeStore {
  /** One round trip. */
  poll(
    ids: Readonly<Record<WatchTarget, readonly string[]>>,
  ): Promise<PolledChanges>;
}

/** The store over `db`. */
export function createChangeStore({ orm }: Database): ChangeStore {
  return {
    async poll({ start, end, pool, worker }) {
      const [found, pools, workers] = await orm.batch([
        orm.all<PolledChanges["sessions"][number]>(sql`
          ${selectWatched(start)} AND ${sessions.status} NOT IN ${WAITING}
          UNION ${selectWatched(end)} AND ${sessions.status} IN ${TERMINAL}`),
        orm.all<Id>(sql`SELECT ${workPools.id} AS id FROM ${watchedIds(pool)}
          CROSS JOIN ${workPools} ON ${workPools.id} = watched.value
          WHERE ${workPools.status} = 'active' AND EXISTS (SELECT 1
            FROM ${sessions} WHERE ${sessions.workPoolId} = ${workPools.id}
            AND ${sessions.status} = 'pending')
          AND ${countPoolRoom()} > 0`),
        orm.all<Id>(sql`SELECT watched.value AS id FROM ${watchedIds(worker)}
          WHERE EXISTS (SELECT 1 FROM ${sessions}
            WHERE ${sessions.workerId} = watched.value AND ${hasStopCommand})`),
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
function watchedIds(ids: readonly string[]): SQL {
  return sql`json_each(${JSON.stringify(ids)}) AS watched`;
}

function selectWatched(ids: readonly string[]): SQL {
  return sql`SELECT ${sessions.id} AS id, ${sessions.status} AS status
    FROM ${watchedIds(ids)} CROSS JOIN ${sessions}
    WHERE ${sessions.id} = watched.value`;
}
