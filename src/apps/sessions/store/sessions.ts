import {
  and,
  desc,
  eq,
  gt,
  inArray,
  isNull,
  lt,
  or,
  type SQL,
  sql,
} from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import type { WorkerCaller } from "../../../http/auth/worker_caller.ts";
import { workers } from "../../workers/models.ts";
import { sessionEvents, sessionMetrics, sessions } from "../models.ts";
import { waitingColumn } from "./waiting.ts";
import { isProvenWorker } from "./proven_worker.ts";
import type { SessionMetricValues } from "../schemas/history.ts";
import type { Session, SessionEvent, SessionMetric } from "../session.ts";
import {
  HELD_STATUSES,
  type SessionEventName,
  type SessionStatus,
} from "../status.ts";
import {
  insertEvent,
  publicColumns,
  type StatusChange,
  transition,
} from "./transition.ts";

/** Which sessions to list, newest first. */
export interface SessionPage {
  readonly status?: readonly SessionStatus[] | undefined;
  readonly work_pool_id?: string | undefined;
  readonly worker_id?: string | undefined;
  /** Label and value that they must have. */
  readonly label?: readonly [string, string] | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** How a session is to end. */
export interface Stop {
  /** The status that it ends in. */
  readonly status: "completed" | "terminated" | "expired" | "timed_out";
  readonly reason: string;
  /** End it in the record at once, and the browser without asking. @default {false} */
  readonly force?: boolean;
  /** End the browser without asking; in the record it ends when that is done. @default {false} */
  readonly kill?: boolean;
}

/** What the gateway needs to know to reach a browser. `endpoint` never leaves the grid. */
export interface SessionTarget {
  readonly id: string;
  readonly status: SessionStatus;
  readonly statusReason: string | null;
  readonly endpoint: string | null;
  readonly workerId: string | null;
  readonly ephemeral: boolean;
  readonly maxConnections: number;
  /** Of an ephemeral one: how long it waits for its client to come back. */
  readonly keepAliveSeconds: number | null;
  /** How its browser is reached; null: not known yet. */
  readonly reach: "direct" | "tunnel" | null;
  readonly expiresAt: number;
  /** Where the server is reached that has its worker's tunnel; null: there is none. */
  readonly tunnelUrl: string | null;
  /** Latest moment for a `pending` one to be claimed. */
  readonly queueDeadlineAt: number;
  /** Latest moment for a `starting` one to run; news of its start move it. */
  readonly startDeadlineAt: number | null;
}

/** Who records something about a session that it holds. */
export interface Holder {
  readonly fencingToken: number;
  readonly caller: WorkerCaller;
}

/** SQL of sessions. Each method is one round trip. */
export interface SessionStore {
  /** The same, for which there are no sessions but those of `owner`. */
  forOwner(owner: string): SessionStore;
  find(id: string): Promise<Session | undefined>;
  detail(id: string): Promise<
    {
      readonly session?: Session | undefined;
      readonly events: readonly SessionEvent[];
      readonly metrics: readonly SessionMetric[];
    }
  >;
  target(id: string): Promise<SessionTarget | undefined>;
  logs(id: string): Promise<{ readonly logs: string | null } | undefined>;
  list(page: SessionPage): Promise<readonly Session[]>;
  /** Undefined: there is no such session; so do the next ones tell it. */
  events(id: string, after: number, limit: number): Promise<
    readonly SessionEvent[] | undefined
  >;
  metrics(
    id: string,
    limit: number,
  ): Promise<readonly SessionMetric[] | undefined>;
  /** Ends a pending session; orders the worker of a held one to end it. */
  stop(id: string, stop: Stop, now: number): Promise<
    {
      readonly session?: Session | undefined;
      readonly changed: readonly StatusChange[];
    }
  >;
  /** Moves the end of one that has not ended. @param minutes From now; absent: what it was given at first. */
  refresh(
    id: string,
    minutes: number | undefined,
    now: number,
  ): Promise<Session | undefined>;
  /** False: the token is stale, or it has ended. */
  addEvent(
    id: string,
    event: Holder & {
      readonly event: SessionEventName;
      readonly data: Readonly<Record<string, unknown>>;
    },
    now: number,
  ): Promise<boolean | undefined>;
  addMetric(
    id: string,
    metric: SessionMetricValues & Holder,
    now: number,
  ): Promise<boolean | undefined>;
}

/** Columns of one session in responses. */
const waitingColumns = { ...publicColumns, waiting: waitingColumn() };

/** Columns of each session in a list. */
const listedColumns = {
  ...publicColumns,
  waiting: waitingColumn({ isInList: true }),
};

/** What is asked most, built once for all owners. */
function prepareQueries({ orm }: Database) {
  const isOne = eq(sessions.id, sql.placeholder("id"));
  const isOwn = eq(sessions.owner, sql.placeholder("owner"));
  const shown = () => orm.select(waitingColumns).from(sessions).$dynamic();
  const target = () =>
    orm.select({
      id: sessions.id,
      status: sessions.status,
      statusReason: sessions.statusReason,
      endpoint: sessions.endpoint,
      workerId: sessions.workerId,
      ephemeral: sessions.ephemeral,
      maxConnections: sessions.maxConnections,
      keepAliveSeconds: sessions.keepAliveSeconds,
      reach: sessions.reach,
      tunnelUrl: workers.tunnelUrl,
      expiresAt: sessions.expiresAt,
      queueDeadlineAt: sessions.queueDeadlineAt,
      startDeadlineAt: sessions.startDeadlineAt,
    }).from(sessions).leftJoin(workers, eq(workers.id, sessions.workerId))
      .$dynamic();
  return {
    find: shown().where(isOne).prepare(),
    findOwn: shown().where(and(isOne, isOwn)).prepare(),
    target: target().where(isOne).prepare(),
    targetOwn: target().where(and(isOne, isOwn)).prepare(),
  };
}

/** The store over `db`. @param owner Of whom alone it knows sessions. */
export function createSessionStore(
  db: Database,
  owner?: string,
  queries = prepareQueries(db),
): SessionStore {
  const { orm } = db;
  const isOwn = owner === undefined ? undefined : eq(sessions.owner, owner);
  const isOne = (id: string) => and(eq(sessions.id, id), isOwn);
  const find = (id: string) =>
    orm.select(waitingColumns).from(sessions).where(isOne(id));
  const exists = (id: string) =>
    orm.select({ id: sessions.id }).from(sessions).where(isOne(id));
  const eventsOf = (id: string, after: number, limit: number) =>
    orm.select().from(sessionEvents).where(
      and(eq(sessionEvents.sessionId, id), gt(sessionEvents.seq, after)),
    ).orderBy(sessionEvents.seq).limit(limit);
  const metricsOf = (id: string, limit: number) =>
    orm.select().from(sessionMetrics).where(eq(sessionMetrics.sessionId, id))
      .orderBy(desc(sessionMetrics.seq)).limit(limit);
  return {
    forOwner: (other) => createSessionStore(db, other, queries),
    async find(id) {
      const [session] = owner === undefined
        ? await queries.find.all({ id })
        : await queries.findOwn.all({ id, owner });
      return session;
    },
    async detail(id) {
      const [[session], events, metrics] = await orm.batch([
        find(id),
        eventsOf(id, 0, 500),
        metricsOf(id, 100),
      ]);
      return { session, events, metrics: metrics.reverse() };
    },
    async target(id) {
      const [target] = owner === undefined
        ? await queries.target.all({ id })
        : await queries.targetOwn.all({ id, owner });
      return target;
    },
    async logs(id) {
      const [row] = await orm.select({ logs: sessions.logs }).from(sessions)
        .where(isOne(id));
      return row;
    },
    async list({ status, work_pool_id, worker_id, label, limit, cursor }) {
      return await orm.select(listedColumns).from(sessions).where(and(
        isOwn,
        status && inArray(sessions.status, [...status]),
        work_pool_id ? eq(sessions.workPoolId, work_pool_id) : undefined,
        worker_id ? eq(sessions.workerId, worker_id) : undefined,
        label && hasLabel(label),
        cursor ? lt(sessions.id, cursor) : undefined,
      )).orderBy(desc(sessions.id)).limit(limit);
    },
    async events(id, after, limit) {
      const [[session], events] = await orm.batch([
        exists(id),
        eventsOf(id, after, limit),
      ]);
      return session && events;
    },
    async metrics(id, limit) {
      const [[session], metrics] = await orm.batch([
        exists(id),
        metricsOf(id, limit),
      ]);
      return session && metrics.reverse();
    },
    async stop(id, stop, now) {
      const ends = and(
        isOne(id),
        inArray(
          sessions.status,
          stop.force ? ["pending", ...HELD_STATUSES] : ["pending"],
        ),
      ) ?? sql`0`;
      const command = {
        stopRequestedAt: now,
        stopStatus: stop.status,
        stopReason: stop.reason,
        stopForce: stop.force ?? stop.kill ?? false,
      };
      const [, changed, , [session]] = await orm.batch([
        ...transition(orm, stop.status, ends, now, {
          statusReason: stop.reason,
          ...command,
        }),
        orm.update(sessions).set(command).where(and(
          isOne(id),
          inArray(sessions.status, [...HELD_STATUSES]),
          isNull(sessions.stopRequestedAt),
        )),
        find(id),
      ]);
      return { session, changed };
    },
    async refresh(id, minutes, now) {
      const own = sql`${sessions.resourceLimits} ->> 'timeout_minutes'`;
      const expiresAt = minutes === undefined
        ? sql`${now} + CAST(${own} * 60000 AS INTEGER)`
        : now + Math.round(minutes * 60_000);
      const [, [session]] = await orm.batch([
        // An order to end it for its age is taken back with that; any other stands.
        orm.update(sessions).set({
          expiresAt,
          updatedAt: now,
          stopRequestedAt: null,
          stopStatus: null,
          stopReason: null,
        }).where(and(
          isOne(id),
          inArray(sessions.status, ["pending", ...HELD_STATUSES]),
          or(
            isNull(sessions.stopRequestedAt),
            and(
              eq(sessions.stopStatus, "expired"),
              eq(sessions.stopForce, sql`0`),
            ),
          ),
        )),
        find(id),
      ]);
      return session;
    },
    async addEvent(id, { event, data, ...holder }, now) {
      const held = heldWith(id, holder);
      const [[session], { rowsAffected }] = await orm.batch([
        exists(id),
        insertEvent(orm, event, held, now, data),
      ]);
      return session && rowsAffected > 0;
    },
    async addMetric(id, values, now) {
      const [[session], { rowsAffected }] = await orm.batch([
        exists(id),
        orm.run(sql`INSERT INTO ${sessionMetrics} (session_id, cpu_percent,
          memory_mb, network_rx_bytes, network_tx_bytes, timestamp)
          SELECT ${sessions.id}, ${values.cpu_percent}, ${values.memory_mb},
            ${values.network_rx_bytes}, ${values.network_tx_bytes}, ${now}
          FROM ${sessions} WHERE ${heldWith(id, values)}`),
      ]);
      return session && rowsAffected > 0;
    },
  };
}

function heldWith(id: string, { fencingToken, caller }: Holder): SQL {
  return and(
    eq(sessions.id, id),
    isProvenWorker(sql`${sessions.workerId}`, caller),
    eq(sessions.fencingToken, fencingToken),
    inArray(sessions.status, [...HELD_STATUSES]),
  ) ?? sql`0`;
}

function hasLabel([name, value]: readonly [string, string]): SQL {
  return sql`EXISTS (SELECT 1 FROM json_each(${sessions.labels}) AS label
    WHERE label.key = ${name} AND label.value = ${value})`;
}
