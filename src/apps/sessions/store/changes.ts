import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { handovers } from "../../handover/models.ts";
import { workPools } from "../../workerpool/models.ts";
import { workers } from "../../workers/models.ts";
import { hasStopCommand, sessionLogFollows, sessions } from "../models.ts";
import { isTerminal, SESSION_STATUSES, type SessionStatus } from "../status.ts";
import { countHeldRoom, countWorkerRoom } from "./queue/next.ts";

/** Kinds of awaited changes: the start or end of a session, sessions that a pool's workers can claim, commands for a worker, the end of a request to a person, a request that holds the clients of a session. */
export type WatchTarget =
  | "start"
  | "end"
  | "pool"
  | "worker"
  | "handover"
  | "hold";

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
  /** Sessions of the watched requests to people that have ended. */
  readonly handedBack: readonly string[];
  /** Sessions whose clients are held. */
  readonly held: readonly string[];
}

const TERMINAL = sql.raw(
  `('${SESSION_STATUSES.filter(isTerminal).join("', '")}')`,
);

const NOT_STARTED = sql.raw("('pending', 'starting')");

/** Reads of changes that other servers made. */
export class ChangeStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** One round trip. @param watched Watched sessions, pools, workers and requests to people. */
  async poll(
    watched: Readonly<Record<WatchTarget, readonly string[]>>,
  ): Promise<PolledChanges> {
    const { found, pools, commanded, ended, held } = await batchNamed(
      this.#db.orm,
      pollStatements(this.#db, {
        start: JSON.stringify(watched.start),
        end: JSON.stringify(watched.end),
        pool: JSON.stringify(watched.pool),
        worker: JSON.stringify(watched.worker),
        handover: JSON.stringify(watched.handover),
        hold: JSON.stringify(watched.hold),
      }),
    );
    return {
      sessions: found,
      pools: pools.map(({ id }) => id),
      workers: commanded.map(({ id }) => id),
      handedBack: ended.map(({ id }) => id),
      held: held.map(({ id }) => id),
    };
  }
}

/** JSON lists of ids. */
type WatchedIds = Readonly<Record<WatchTarget, string>>;

/** Condition that a pool and one of its workers have room. Unlike the number of sessions, it is known at the first such worker. */
const hasRoom = sql`${countHeldRoom(sql`1`)} > 0 AND EXISTS (
  SELECT 1 FROM ${workers} AS w WHERE w.work_pool_id = p.id
  AND w.status IN ('online', 'busy') AND w.drain_requested_at IS NULL
  AND ${countWorkerRoom()} > 0)`;

const pollStatements = prepare(({ orm }, bind: Bind<WatchedIds>) => ({
  found: orm.all<PolledChanges["sessions"][number]>(sql`
    ${selectWatched(bind("start"))} AND ${sessions.status} NOT IN ${NOT_STARTED}
    UNION ${selectWatched(bind("end"))} AND ${sessions.status} IN ${TERMINAL}`),
  pools: orm.all<Id>(sql`SELECT p.id AS id FROM ${watchedIds(bind("pool"))}
    CROSS JOIN ${workPools} AS p ON p.id = watched.value
    WHERE p.status = 'active' AND EXISTS (SELECT 1 FROM ${sessions}
      WHERE ${sessions.workPoolId} = p.id AND ${sessions.status} = 'pending')
    AND ${hasRoom}`),
  commanded: orm.all<Id>(sql`SELECT watched.value AS id
    FROM ${watchedIds(bind("worker"))} WHERE EXISTS (SELECT 1 FROM ${sessions}
      WHERE ${sessions.workerId} = watched.value AND ${
    hasStopCommand(sessions)
  }) OR EXISTS (SELECT 1 FROM ${sessionLogFollows} AS f
      CROSS JOIN ${sessions} AS s
      WHERE f.is_delivered = 0 AND s.id = f.session_id
      AND s.worker_id = watched.value AND s.status IN ('starting', 'running'))`),
  ended: orm.all<Id>(sql`SELECT asked.session_id AS id
    FROM ${watchedIds(bind("handover"))}
    CROSS JOIN ${handovers} AS asked ON asked.id = watched.value
    WHERE asked.status <> 'open'`),
  held: orm.all<Id>(sql`SELECT asked.session_id AS id
    FROM ${watchedIds(bind("hold"))}
    CROSS JOIN ${handovers} AS asked INDEXED BY handovers_open
      ON asked.session_id = watched.value AND asked.status = 'open'
    WHERE asked.hold = 1`),
}));

interface Id {
  readonly id: string;
}

/** The watched ids come first in each statement: the cost grows with them, not with the tables. */
function watchedIds(ids: SQL): SQL {
  return sql`json_each(${ids}) AS watched`;
}

function selectWatched(ids: SQL): SQL {
  return sql`SELECT ${sessions.id} AS id, ${sessions.status} AS status
    FROM ${watchedIds(ids)} CROSS JOIN ${sessions}
    WHERE ${sessions.id} = watched.value`;
}
