/**
 * Which sessions clients use: statements of the gateway, and of the reconciler for what falls silent.
 *
 * A session that runs is in use or idle. Every change between the two is one event, recorded before it under the same
 * condition and in the same batch, so that it is recorded once however many servers see it.
 *
 * @module
 */
import type { ResultSet } from "@libsql/client";
import { type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Database, Statement } from "../../../core/database.ts";
import { sessionEvents, sessions } from "../models.ts";
import { CLIENT_SEEN_MS } from "../session.ts";
import { all } from "./lease_expiry.ts";
import { insertEvent } from "./transition.ts";

/** Longest time without a byte before a session counts as idle; one with a short idle timeout counts as such sooner. */
const QUIET_MS = 30_000;

/** Why a session is idle: else there are clients, of which nothing is heard. */
const NO_CLIENT = "no client";

/** A session that has become idle, or is used again: what subscribers are told. */
export interface ActivityChange {
  readonly id: string;
  readonly workPoolId: string;
  readonly workerId: string | null;
}

/** Which sessions clients use. */
export interface ClientActivity {
  /** Sessions over whose streams bytes have passed just now. */
  readonly active: readonly string[];
  /** Ephemeral sessions whose client is there. */
  readonly clientsSeen: readonly string[];
}

/** SQL of presence. Each is one round trip, and returns the sessions that are idle from now on, or no longer. */
export interface ActivityStore {
  /** A client has come. */
  connected(id: string, now: number): Promise<readonly ActivityChange[]>;
  /** A client has gone; with the last of them the time begins that the session waits for one to come back. */
  disconnected(
    id: string,
    data: Readonly<Record<string, unknown>>,
    now: number,
  ): Promise<readonly ActivityChange[]>;
  record(
    presence: ClientActivity,
    now: number,
  ): Promise<readonly ActivityChange[]>;
}

/** The store over `db`. */
export function createActivityStore({ orm }: Database): ActivityStore {
  return {
    async connected(id, now) {
      const one = sql`${sessions.id} = ${id}`;
      const [, , changed] = await orm.batch([
        insertEvent(orm, "client_connected", one, now),
        ...becomeActive(orm, one, now),
        touchLastActivity(orm, one, now),
        renewClientSeen(orm, one, now),
      ]);
      return changed;
    },
    async disconnected(id, data, now) {
      const one = sql`${sessions.id} = ${id}`;
      const unused = all(
        one,
        hasNoClient(id),
        sql`NOT ${endsWithClient}`,
        // Another may have come while this was on its way.
        sql`${sessions.lastActivityAt} <= ${now}`,
      );
      const [, , , changed] = await orm.batch([
        insertEvent(orm, "client_disconnected", one, now, data),
        touchLastActivity(orm, one, now),
        ...becomeIdle(orm, unused, now, {
          since: sql`${now}`,
          why: sql`${NO_CLIENT}`,
        }),
        orm.update(sessions).set({
          clientSeenUntil: clientAwaitedUntil(id, now),
        })
          .where(all(
            one,
            sql`${sessions.ephemeral} = 1`,
            sql`${sessions.keepAliveSeconds} IS NOT NULL`,
          )),
      ]);
      return changed;
    },
    async record({ active, clientsSeen }, now) {
      const [, changed] = await orm.batch([
        ...becomeActive(orm, isOneOf(active), now),
        touchLastActivity(orm, isOneOf(active), now),
        renewClientSeen(orm, isOneOf(clientsSeen), now),
      ]);
      return changed;
    },
  };
}

/** The statements by which sessions that met with nothing for too long become idle. @param capped Bounds how many. */
export function fallIdle(
  orm: LibSQLDatabase,
  now: number,
  capped: (condition: SQL) => SQL,
): ActivityStatements {
  const last = sql`coalesce(${sessions.lastActivityAt}, ${sessions.startedAt})`;
  const quietMs = sql`min(${QUIET_MS},
    coalesce(${sessions.idleTimeoutSeconds} * 500, ${QUIET_MS}))`;
  const quiet = all(
    sql`${sessions.status} = 'running'`,
    isInUse,
    sql`${last} + ${quietMs} < ${now}`,
  );
  return becomeIdle(orm, capped(quiet), now, {
    since: last,
    // Of one whose client has gone it is known already.
    why:
      sql`iif(${sessions.lastActivityAt} IS NULL, ${NO_CLIENT}, 'no traffic')`,
  });
}

/** The event, and the change. */
export type ActivityStatements = readonly [
  Statement<ResultSet>,
  Statement<ActivityChange[]>,
];

const changedColumns = {
  id: sessions.id,
  workPoolId: sessions.workPoolId,
  workerId: sessions.workerId,
};

/** With a plus, for they are found by their ids: not through all that run. */
const isRunning = sql`+${sessions.status} = 'running'`;

const isInUse = all(isRunning, sql`${sessions.idleSince} IS NULL`);

/** What is over when its client goes is not idle before. */
const endsWithClient = sql`(${sessions.ephemeral} = 1
  AND ${sessions.keepAliveSeconds} IS NULL)`;

function becomeIdle(
  orm: LibSQLDatabase,
  condition: SQL,
  now: number,
  { since, why }: { readonly since: SQL; readonly why: SQL },
): ActivityStatements {
  const idles = all(
    isInUse,
    sql`${sessions.stopRequestedAt} IS NULL`,
    condition,
  );
  const data = sql`json_object('why', ${why}, 'since', ${isoTime(since)},
    'idle_seconds', (${now} - ${since}) / 1000.0)`;
  return [
    insertEvent(orm, "session_idle", idles, now, data),
    orm.update(sessions).set({ idleSince: since }).where(idles)
      .returning(changedColumns),
  ];
}

function becomeActive(
  orm: LibSQLDatabase,
  condition: SQL,
  now: number,
): ActivityStatements {
  // What was seen before it became idle does not wake it.
  const wakes = all(isRunning, sql`${sessions.idleSince} <= ${now}`, condition);
  const data = sql`json_object('idle_seconds',
    (${now} - ${sessions.idleSince}) / 1000.0)`;
  return [
    insertEvent(orm, "session_active", wakes, now, data),
    orm.update(sessions).set({ idleSince: null }).where(wakes)
      .returning(changedColumns),
  ];
}

function touchLastActivity(orm: LibSQLDatabase, condition: SQL, now: number) {
  return orm.update(sessions).set({
    lastActivityAt: sql`max(coalesce(${sessions.lastActivityAt}, 0), ${now})`,
  }).where(condition);
}

/** Of ephemeral ones: a server that dies with their client leaves them as long as they would wait for it to come back. */
function renewClientSeen(orm: LibSQLDatabase, condition: SQL, now: number) {
  const keptMs = sql`iif(${isRunning},
    coalesce(${sessions.keepAliveSeconds}, 0) * 1000, 0)`;
  return orm.update(sessions).set({
    clientSeenUntil:
      sql`CAST(${now} + max(${CLIENT_SEEN_MS}, ${keptMs}) AS INTEGER)`,
  }).where(all(condition, sql`${sessions.ephemeral} = 1`));
}

/** Until when a session waits whose client has gone just now; not less if another one is there, at whatever server. */
function clientAwaitedUntil(id: string, now: number): SQL {
  const until =
    sql`CAST(${now} + ${sessions.keepAliveSeconds} * 1000 AS INTEGER)`;
  return sql`iif(${hasNoClient(id)}, ${until},
    max(${sessions.clientSeenUntil}, ${until}))`;
}

/** By what all servers have recorded: since it had none, as many have gone as have come. */
function hasNoClient(id: string): SQL {
  const own = sql`${sessionEvents.sessionId} = ${id}`;
  const hadNone = sql`coalesce((SELECT seq FROM ${sessionEvents} WHERE ${own}
    AND event = 'session_idle' AND data ->> '$.why' = ${NO_CLIENT}
    ORDER BY seq DESC LIMIT 1), 0)`;
  return sql`(SELECT coalesce(sum(CASE event WHEN 'client_connected' THEN 1
      WHEN 'client_disconnected' THEN -1 END), 0)
    FROM ${sessionEvents} WHERE ${own} AND seq > ${hadNone}) <= 0`;
}

/** One bound value, however many ids. */
function isOneOf(ids: readonly string[]): SQL {
  return sql`${sessions.id} IN (SELECT value FROM json_each(${
    JSON.stringify(ids)
  }))`;
}

function isoTime(ms: SQL): SQL {
  return sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${ms} / 1000.0, 'unixepoch')`;
}
