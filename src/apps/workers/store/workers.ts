import { and, eq, getTableColumns, gt, lt, type SQL, sql } from "drizzle-orm";
import { isConstraintError } from "../../../db/client.ts";
import { type Database, type Statement } from "../../../core/database.ts";
import type { WorkerCaller } from "../../../http/auth/worker_caller.ts";
import { sessions } from "../../sessions/models.ts";
import { workPools } from "../../workerpool/models.ts";
import { grid, workers } from "../models.ts";
import type { LeasedSession, SessionManager } from "../../sessions/manager.ts";
import type { HeartbeatBody } from "../schemas.ts";
import type { WorkerStatus } from "../status.ts";
import type { WorkerRow } from "../worker.ts";

/** Which workers to list. */
export interface WorkerListOptions {
  readonly work_pool_id?: string | undefined;
  readonly status?: WorkerStatus | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** A worker that registers. */
export interface RegistrationEntry {
  readonly row: WorkerRow;
  /** Taken if the grid has no id yet. */
  readonly gridId: string;
  /** Makes the statements that give the worker's new process what the worker holds. */
  readonly takeOver: SessionManager["takeOver"];
}

/** What a registration gave. */
export interface RegistrationResult {
  /** Absent: the name or id belongs to another worker, or the pool has all its workers. */
  readonly worker?: WorkerRow | undefined;
  /** Workers of the same pool that are not offline, besides this one. */
  readonly others: number;
  readonly gridId: string;
  readonly held: readonly LeasedSession[];
}

/** What a heartbeat reads of its worker. */
export interface HeartbeatRow {
  readonly status: WorkerStatus;
  readonly drainDeadlineAt: number | null;
}

/** A tunnel that a worker opens. */
export interface TunnelRecord {
  readonly caller: WorkerCaller;
  /** Where the server that has the tunnel is reached by the others. */
  readonly url: string;
}

/** A heartbeat and its sender. */
type ProvenHeartbeat = HeartbeatBody & { readonly caller: WorkerCaller };

/** SQL of workers. Each method is one round trip. */
export interface WorkerStore {
  /** Inserts the worker, or brings the one of the same pool, name and secret up to date. */
  register(entry: RegistrationEntry): Promise<RegistrationResult>;
  /** Brings the worker with this id up to date, if pool and secret are its own. */
  reregister(entry: RegistrationEntry): Promise<RegistrationResult>;
  find(id: string): Promise<WorkerRow | undefined>;
  list(page: WorkerListOptions): Promise<readonly WorkerRow[]>;
  /** False: it holds sessions, or is not there. */
  remove(id: string): Promise<boolean>;
  drain(
    id: string,
    now: number,
    deadlineAt: number,
  ): Promise<WorkerRow | undefined>;
  resume(id: string, now: number): Promise<WorkerRow | undefined>;
  /** The statement of a heartbeat; run in one batch with the worker's reports. No row: no such worker, or not this process of it. */
  heartbeat(
    id: string,
    body: ProvenHeartbeat,
    now: number,
  ): Statement<HeartbeatRow[]>;
  /** Enters where a worker's tunnel is. False: it is not that process of that worker. */
  recordTunnelOpened(id: string, tunnel: TunnelRecord): Promise<boolean>;
  /** Takes it out, unless the tunnel is elsewhere by now. */
  recordTunnelClosed(id: string, url: string): Promise<void>;
  /** Enters how a worker that has left that open is reached. `ofSessions` runs in the same batch. */
  recordReach(
    id: string,
    reach: "direct" | "tunnel",
    ofSessions: Statement<unknown>,
  ): Promise<void>;
  /** Marks workers that were not heard of since `since`. Returns their ids. */
  markLost(since: number, now: number): Promise<readonly string[]>;
  prune(before: number): Promise<number>;
}

/** The store over `db`. */
export function createWorkerStore({ orm }: Database): WorkerStore {
  return {
    register: (entry) =>
      runRegistration(
        orm,
        { entry, isKnown: matchesName(entry.row) },
        orm.insert(workers).select(selectIfRoom(entry.row)).onConflictDoUpdate({
          target: [workers.workPoolId, workers.name],
          set: toUpdate(entry.row),
          setWhere: eq(workers.secretHash, entry.row.secretHash),
        }).returning(),
      ),
    reregister(entry) {
      const { row } = entry;
      const statement = orm.update(workers).set({
        name: row.name,
        ...toUpdate(row),
      }).where(and(
        eq(workers.id, row.id),
        eq(workers.workPoolId, row.workPoolId),
        eq(workers.secretHash, row.secretHash),
        hasRoom(row),
      )).returning();
      const isKnown = eq(workers.id, row.id);
      return runRegistration(orm, { entry, isKnown }, statement);
    },
    async find(id) {
      const [worker] = await orm.select().from(workers).where(
        eq(workers.id, id),
      );
      return worker;
    },
    async list({ work_pool_id, status, limit, cursor }) {
      return await orm.select().from(workers).where(and(
        work_pool_id ? eq(workers.workPoolId, work_pool_id) : undefined,
        status && eq(workers.status, status),
        cursor ? gt(workers.id, cursor) : undefined,
      )).orderBy(workers.id).limit(limit);
    },
    async remove(id) {
      const gone = await orm.delete(workers).where(
        and(eq(workers.id, id), holdsNothing(id)),
      ).returning({ id: workers.id });
      return gone.length > 0;
    },
    async drain(id, now, deadlineAt) {
      const [worker] = await orm.update(workers).set({
        status: sql`iif(${workers.status} = 'offline', 'offline', 'draining')`,
        drainRequestedAt: now,
        drainDeadlineAt: deadlineAt,
        updatedAt: now,
      }).where(eq(workers.id, id)).returning();
      return worker;
    },
    async resume(id, now) {
      const [worker] = await orm.update(workers).set({
        status:
          sql`iif(${workers.status} = 'draining', 'online', ${workers.status})`,
        drainRequestedAt: null,
        drainDeadlineAt: null,
        updatedAt: now,
      }).where(eq(workers.id, id)).returning();
      return worker;
    },
    heartbeat: (id, body, now) => heartbeatStatement(orm, id, body, now),
    async recordTunnelOpened(id, { caller, url }) {
      const { rowsAffected } = await orm.update(workers).set({ tunnelUrl: url })
        .where(isProven(id, caller));
      return rowsAffected > 0;
    },
    async recordTunnelClosed(id, url) {
      await orm.update(workers).set({ tunnelUrl: null }).where(
        and(eq(workers.id, id), eq(workers.tunnelUrl, url)),
      );
    },
    async recordReach(id, reach, ofSessions) {
      await orm.batch([
        orm.update(workers).set({ reached: reach }).where(
          and(eq(workers.id, id), eq(workers.reach, "auto")),
        ),
        ofSessions,
      ]);
    },
    async markLost(since, now) {
      const [, lost] = await orm.batch([
        // Nobody was heard of later than now: a clock that was set back would keep the dead alive.
        orm.update(workers).set({ lastHeartbeat: now }).where(
          gt(workers.lastHeartbeat, now),
        ),
        orm.update(workers).set({
          status: "offline",
          currentLoad: 0,
          ready: 0,
          updatedAt: now,
        }).where(and(
          lt(workers.lastHeartbeat, since),
          sql`${workers.status} <> 'offline'`,
        )).returning({ id: workers.id }),
      ]);
      return lost.map(({ id }) => id);
    },
    async prune(before) {
      const { rowsAffected } = await orm.delete(workers).where(and(
        eq(workers.status, "offline"),
        lt(workers.lastHeartbeat, before),
      ));
      return rowsAffected;
    },
  };
}

/** Runs the statement that enters a worker together with what its registration is answered. */
async function runRegistration(
  orm: Database["orm"],
  { entry: { row, gridId, takeOver }, isKnown }: {
    readonly entry: RegistrationEntry;
    readonly isKnown: SQL;
  },
  statement: Statement<WorkerRow[]>,
): Promise<RegistrationResult> {
  const isOwn = sql`${isKnown} AND ${eq(workers.workPoolId, row.workPoolId)}
    AND ${eq(workers.secretHash, row.secretHash)}`;
  const { raise, held: heldNow } = takeOver({
    // A registration that is repeated, or refused, replaces nobody.
    replaced: sql`${isOwn} AND NOT ${isSameProcess(row)} AND ${hasRoom(row)}`,
    registered: sql`${isOwn} AND ${isSameProcess(row)}`,
    reach: row.reach === "auto" ? null : row.reach,
  });
  try {
    const [, , [worker], [own], held] = await orm.batch([
      orm.insert(grid).values({ only: 1, id: gridId }).onConflictDoNothing(),
      raise,
      statement,
      orm.select({ id: grid.id, others: countOthers(row) }).from(grid),
      heldNow,
    ]);
    return {
      worker,
      others: own?.others ?? 0,
      gridId: own?.id ?? gridId,
      held,
    };
  } catch (error) {
    if (!isConstraintError(error)) throw error;
    return { others: 0, gridId, held: [] };
  }
}

function matchesName({ workPoolId, name }: WorkerRow): SQL {
  return sql`${eq(workers.workPoolId, workPoolId)}
    AND ${eq(workers.name, name)}`;
}

/** Whether it is the process that has registered last: the request is repeated then, or late. */
function isSameProcess({ instanceId }: WorkerRow): SQL {
  return sql`(${workers.instanceId} IS ${instanceId})`;
}

/** The row, unless its pool has all its workers: two registrations at once cannot pass the limit together. */
function selectIfRoom(row: WorkerRow): SQL {
  const values: Readonly<Record<string, unknown>> = row;
  const cells = Object.entries(getTableColumns(workers)).map(
    ([key, column]) => sql`${sql.param(values[key] ?? null, column)}`,
  );
  return sql`SELECT ${sql.join(cells, sql`, `)} WHERE ${hasRoom(row)}`;
}

function hasRoom(row: WorkerRow): SQL {
  return sql`coalesce((SELECT p.max_workers FROM ${workPools} AS p
    WHERE p.id = ${row.workPoolId}), 9e9) > ${countOthers(row)}`;
}

function countOthers({ id, name, workPoolId }: WorkerRow): SQL<number> {
  return sql<number>`(SELECT count(*) FROM ${workers} AS o
    WHERE o.work_pool_id = ${workPoolId} AND o.status <> 'offline'
    AND o.id <> ${id} AND o.name <> ${name})`;
}

/** What a registration changes of a worker that is known. */
function toUpdate(row: WorkerRow) {
  const isSame = isSameProcess(row);
  return {
    providerDetails: row.providerDetails,
    capacity: row.capacity,
    ipAddress: row.ipAddress,
    ready: 0,
    reach: row.reach,
    reached: sql`iif(${isSame}, ${workers.reached}, NULL)`,
    tunnelUrl: sql`iif(${isSame}, ${workers.tunnelUrl}, NULL)`,
    version: row.version,
    // A new process is not the one that was told to drain.
    status: sql`iif(${isSame} AND ${workers.drainRequestedAt} IS NOT NULL,
      'draining', 'online')`,
    instanceId: row.instanceId,
    drainRequestedAt: sql`iif(${isSame}, ${workers.drainRequestedAt}, NULL)`,
    drainDeadlineAt: sql`iif(${isSame}, ${workers.drainDeadlineAt}, NULL)`,
    updatedAt: row.updatedAt,
    lastHeartbeat: row.lastHeartbeat,
  } as const;
}

function heartbeatStatement(
  orm: Database["orm"],
  id: string,
  body: ProvenHeartbeat,
  now: number,
): Statement<HeartbeatRow[]> {
  const { status = "online", caller } = body;
  // A worker that was told to drain does not become online by a heartbeat that crossed the order. One that neither leaves
  // nor holds anything when its time is over counts as gone.
  const isStubborn = sql`${workers.drainDeadlineAt} < ${now}
    AND ${holdsNothing(workers.id)}`;
  const next = sql<WorkerStatus>`CASE
    WHEN ${status} = 'offline' OR ${workers.drainRequestedAt} IS NULL
      THEN ${status}
    WHEN ${isStubborn} THEN 'offline' ELSE 'draining' END`;
  return orm.update(workers).set({
    status: next,
    lastHeartbeat: now,
    updatedAt: now,
    ...pickDefined("currentLoad", body.current_load),
    ...pickDefined("ready", body.ready),
    ...pickDefined("cpuPercent", body.cpu_percent),
    ...pickDefined("memoryUsageMb", body.memory_usage_mb),
    ...pickDefined("diskUsageMb", body.disk_usage_mb),
    ...pickDefined("providerDetails", body.provider_details),
  }).where(isProven(id, caller)).returning({
    status: workers.status,
    drainDeadlineAt: workers.drainDeadlineAt,
  });
}

/** SQL that reports whether the caller is the current process of worker `id` and may serve its pool. */
function isProven(
  id: string,
  { proof, workPoolId }: WorkerCaller,
): SQL | undefined {
  return and(
    eq(workers.id, id),
    eq(workers.secretHash, proof.secretHash),
    eq(workers.instanceId, proof.instanceId),
    workPoolId === undefined ? undefined : eq(workers.workPoolId, workPoolId),
  );
}

function pickDefined<K extends string, V>(name: K, value: V | undefined) {
  return value === undefined ? {} : { [name]: value };
}

function holdsNothing(id: string | typeof workers.id): SQL {
  return sql`NOT EXISTS (SELECT 1 FROM ${sessions}
    WHERE ${sessions.workerId} = ${id}
    AND ${sessions.status} IN ('starting', 'running'))`;
}
