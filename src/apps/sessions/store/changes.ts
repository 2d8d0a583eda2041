import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { countPoolRoom, workPools } from "../../workerpool/models.ts";
import { sessions } from "../models.ts";
import { isTerminal, SESSION_STATUSES, type SessionStatus } from "../status.ts";
import { hasStopCommand } from "./lifecycle/commands.ts";

/** Kinds of awaited changes: the start or end of a session, sessions that a pool's workers can claim, commands for a worker. */
export type WatchTarget = "start" | "end" | "pool" | "worker";

/** The watched changes that have happened. */
export interface PolledChanges {
  readonly sessions: readonly {
    readonly id: string;
    readonly status: SessionStatus;
  }[];
  /** Pools that have sessions to claim, and a worker with room for them. */
  readonly pools: readonly string[];
  /** Workers that have commands. */
  readonly workers: readonly string[];
}

const TERMINAL = sql.raw(
  `('${SESSION_STATUSES.filter(isTerminal).join("', '")}')`,
);

const NOT_STARTED = sql.raw("('pending', 'starting')");

/** Reads of changes that other servers made. */
export class ChangeStore {
  readonly #orm: Database["orm"];

  constructor({ orm }: Database) {
    this.#orm = orm;
  }

  /** One round trip. @param ids Watched sessions, pools and workers. */
  async poll(
    { start, end, pool, worker }: Readonly<
      Record<WatchTarget, readonly string[]>
    >,
  ): Promise<PolledChanges> {
    const orm = this.#orm;
    const { found, pools, workers } = await batchNamed(orm, {
      found: orm.all<PolledChanges["sessions"][number]>(sql`
        ${selectWatched(start)} AND ${sessions.status} NOT IN ${NOT_STARTED}
        UNION ${selectWatched(end)} AND ${sessions.status} IN ${TERMINAL}`),
      pools: orm.all<Id>(sql`SELECT ${workPools.id} AS id
        FROM ${watchedIds(pool)}
        CROSS JOIN ${workPools} ON ${workPools.id} = watched.value
        WHERE ${workPools.status} = 'active' AND EXISTS (SELECT 1
          FROM ${sessions} WHERE ${sessions.workPoolId} = ${workPools.id}
          AND ${sessions.status} = 'pending')
        AND ${countPoolRoom()} > 0`),
      workers: orm.all<Id>(sql`SELECT watched.value AS id
        FROM ${watchedIds(worker)} WHERE EXISTS (SELECT 1 FROM ${sessions}
          WHERE ${sessions.workerId} = watched.value AND ${hasStopCommand})`),
    });
    return {
      sessions: found,
      pools: pools.map(({ id }) => id),
      workers: workers.map(({ id }) => id),
    };
  }
}

interface Id {
  readonly id: string;
}

/** The watched ids come first in each statement: the cost grows with them, not with the tables. */
function watchedIds(ids: readonly string[]): SQL {
  return sql`json_each(${JSON.stringify(ids)}) AS watched`;
}

function selectWatched(ids: readonly string[]): SQL {
  return sql`SELECT ${sessions.id} AS id, ${sessions.status} AS status
    FROM ${watchedIds(ids)} CROSS JOIN ${sessions}
    WHERE ${sessions.id} = watched.value`;
}
