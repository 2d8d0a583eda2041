import { type SQL, sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Database, Statement } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import { insertEvents } from "../../events/models.ts";
import { apiKeys } from "../../keys/models.ts";
import { sessions } from "../../sessions/models.ts";
import type { SessionStatus } from "../../sessions/status.ts";
import type { LiveEventType } from "../event_types.ts";
import type { LiveLink, LiveLinkRow } from "../live_link.ts";
import { liveLinks } from "../models.ts";

/** Number of links of a session that are kept after they have ended. */
const MAX_ENDED = 100;

/** A session by its id; with an owner, only if it belongs to that owner. */
export interface LinkedSessionRef {
  readonly sessionId: string;
  readonly owner: string | undefined;
}

/** A link of a session by its id. */
export interface OwnedLinkRef extends LinkedSessionRef {
  readonly linkId: string;
}

/** A session whose links are read or changed. */
export interface LinkedSession {
  readonly id: string;
  readonly status: SessionStatus;
  readonly expiresAt: number;
}

/** The outcome of a change or a read of links. Without a session there is none with this id and owner. */
export interface LinkOutcome {
  readonly session: LinkedSession | undefined;
  readonly links: readonly LiveLink[];
}

const columns = {
  id: liveLinks.id,
  sessionId: liveLinks.sessionId,
  mode: liveLinks.mode,
  createdBy: liveLinks.createdBy,
  note: liveLinks.note,
  createdAt: liveLinks.createdAt,
  expiresAt: liveLinks.expiresAt,
  revokedAt: liveLinks.revokedAt,
  sessionEndedAt: sessions.endedAt,
  keyRevokedAt: apiKeys.revokedAt,
  keyExpiresAt: apiKeys.expiresAt,
};

/** Queries of links. Each method is one round trip; none selects the hash of a token. */
export class LinkStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Inserts a link that ends with its session at the latest. Without links in the outcome, there are too many or the session has ended. */
  async insert(
    row: LiveLinkRow,
    options: {
      readonly owner: string | undefined;
      /** Maximum number of valid links of the session. */
      readonly maxLinks: number;
    },
  ): Promise<LinkOutcome> {
    const { links, found } = await batchNamed(
      this.#db.orm,
      insertLink(this.#db, {
        ...row,
        ...options,
        linkId: row.id,
        now: row.createdAt,
      }),
    );
    return { session: found[0], links };
  }

  /** Lists the links of a session, newest first. */
  async list(ref: LinkedSessionRef): Promise<LinkOutcome> {
    const { links, found } = await batchNamed(
      this.#db.orm,
      listLinks(this.#db, ref),
    );
    return { session: found[0], links };
  }

  /** Revokes a valid link, and returns it; one that has ended stays unchanged. */
  async revoke(
    ref: OwnedLinkRef,
    revokedBy: string,
    now: number,
  ): Promise<LinkOutcome> {
    const { links, found } = await batchNamed(
      this.#db.orm,
      revokeLink(this.#db, { ...ref, revokedBy, now }),
    );
    return { session: found[0], links };
  }

  /** Finds a link by the hash of its token. */
  async findByHash(tokenHash: string): Promise<LiveLink | undefined> {
    const { links } = await batchNamed(
      this.#db.orm,
      findByHash(this.#db, { tokenHash }),
    );
    return links[0];
  }

  /** Finds links by id. */
  async find(ids: readonly string[]): Promise<readonly LiveLink[]> {
    const { links } = await batchNamed(
      this.#db.orm,
      findLinks(this.#db, { ids: JSON.stringify(ids) }),
    );
    return links;
  }

  /** Deletes links that expired before a time, a limited number. Returns their number. */
  async prune(before: number, limit: number): Promise<number> {
    const { pruned } = await batchNamed(
      this.#db.orm,
      pruneLinks(this.#db, { before, limit }),
    );
    return pruned.rowsAffected;
  }
}

type InsertValues = Omit<LiveLinkRow, "id"> & OwnedLinkRef & {
  readonly maxLinks: number;
  readonly now: number;
};

const insertLink = prepare(({ orm }, bind: Bind<InsertValues>) => {
  const end = sql`CASE WHEN ${bind("expiresAt")} < ${sessions.expiresAt}
    THEN ${bind("expiresAt")} ELSE ${sessions.expiresAt} END`;
  const source = sql`${sessions} WHERE ${isOwn(bind)}
    AND ${sessions.endedAt} IS NULL AND ${sessions.expiresAt} > ${bind("now")}
    AND (SELECT count(*) FROM ${liveLinks} AS l
      WHERE l.session_id = ${bind("sessionId")} AND l.revoked_at IS NULL
      AND l.expires_at > ${bind("now")}) < ${bind("maxLinks")}`;
  return {
    ended: orm.run(sql`DELETE FROM ${liveLinks} WHERE id IN (
      SELECT l.id FROM ${liveLinks} AS l
      WHERE l.session_id = ${bind("sessionId")}
      AND (l.revoked_at IS NOT NULL OR l.expires_at <= ${bind("now")})
      ORDER BY l.id DESC LIMIT -1 OFFSET ${sql.raw(String(MAX_ENDED))})`),
    event: insertLinkEvent(orm, "live_link.created", {
      data: sql`json_object('link_id', ${bind("linkId")},
        'mode', ${bind("mode")}, 'expires_at', ${toIsoText(end)},
        'created_by', ${bind("createdBy")})`,
      timestamp: bind("now"),
      source,
    }),
    inserted: orm.run(sql`INSERT INTO ${liveLinks} (id, session_id, mode,
        token_hash, created_by, note, created_at, expires_at)
      SELECT ${bind("linkId")}, ${sessions.id}, ${bind("mode")},
        ${bind("tokenHash")}, ${bind("createdBy")}, ${bind("note")},
        ${bind("now")}, ${end} FROM ${source}`),
    links: selectLinks(orm, sql`${liveLinks.id} = ${bind("linkId")}`),
    found: selectSession(orm, bind),
  };
});

const listLinks = prepare(({ orm }, bind: Bind<LinkedSessionRef>) => ({
  found: selectSession(orm, bind),
  links: selectLinks(
    orm,
    sql`${liveLinks.sessionId} = ${bind("sessionId")} AND ${isOwn(bind)}`,
  ).orderBy(sql`${liveLinks.id} DESC`),
}));

type RevokeValues = OwnedLinkRef & {
  readonly revokedBy: string;
  readonly now: number;
};

const revokeLink = prepare(({ orm }, bind: Bind<RevokeValues>) => {
  const isValid = sql`${liveLinks.revokedAt} IS NULL
    AND ${liveLinks.expiresAt} > ${bind("now")}`;
  const isOne = sql`${liveLinks.id} = ${bind("linkId")}
    AND ${liveLinks.sessionId} = ${bind("sessionId")}`;
  return {
    event: insertLinkEvent(orm, "live_link.revoked", {
      data: sql`json_object('link_id', ${liveLinks.id},
        'mode', ${liveLinks.mode},
        'expires_at', ${toIsoText(sql`${liveLinks.expiresAt}`)},
        'revoked_by', ${bind("revokedBy")})`,
      timestamp: bind("now"),
      source: sql`${liveLinks} CROSS JOIN ${sessions}
        ON ${sessions.id} = ${liveLinks.sessionId}
        WHERE ${isOne} AND ${isOwn(bind)} AND ${isValid}`,
    }),
    revoked: orm.run(sql`UPDATE ${liveLinks} SET revoked_at = ${bind("now")}
      WHERE ${isOne} AND ${isValid} AND EXISTS (
        SELECT 1 FROM ${sessions} WHERE ${isOwn(bind)})`),
    links: selectLinks(orm, sql`${isOne} AND ${isOwn(bind)}`),
    found: selectSession(orm, bind),
  };
});

const findByHash = prepare((
  { orm },
  bind: Bind<{ readonly tokenHash: string }>,
) => ({
  links: selectLinks(orm, sql`${liveLinks.tokenHash} = ${bind("tokenHash")}`),
}));

const findLinks = prepare(({ orm }, bind: Bind<{ readonly ids: string }>) => ({
  links: selectLinks(
    orm,
    sql`${liveLinks.id} IN (SELECT value FROM json_each(${bind("ids")}))`,
  ),
}));

const pruneLinks = prepare((
  { orm },
  bind: Bind<{ readonly before: number; readonly limit: number }>,
) => ({
  pruned: orm.run(sql`DELETE FROM ${liveLinks} WHERE id IN (
    SELECT l.id FROM ${liveLinks} AS l INDEXED BY live_links_expiry
    WHERE l.expires_at < ${bind("before")}
    LIMIT ${bind("limit")})`),
}));

function selectLinks(orm: LibSQLDatabase, condition: SQL) {
  return orm.select(columns).from(liveLinks)
    .innerJoin(sessions, sql`${sessions.id} = ${liveLinks.sessionId}`)
    .leftJoin(apiKeys, sql`${apiKeys.id} = ${liveLinks.createdBy}`)
    .where(condition);
}

function selectSession(
  orm: LibSQLDatabase,
  bind: Bind<LinkedSessionRef>,
): Statement<LinkedSession[]> {
  return orm.select({
    id: sessions.id,
    status: sessions.status,
    expiresAt: sessions.expiresAt,
  }).from(sessions).where(isOwn(bind));
}

/** Returns the condition that a row of `sessions` is the session of a {@linkcode LinkedSessionRef}. */
function isOwn(bind: Bind<LinkedSessionRef>): SQL {
  return sql`${sessions.id} = ${bind("sessionId")}
    AND (${bind("owner")} IS NULL OR ${sessions.owner} = ${bind("owner")})`;
}

function insertLinkEvent(
  orm: LibSQLDatabase,
  type: LiveEventType,
  event: {
    readonly data: SQL;
    readonly timestamp: SQL;
    readonly source: SQL;
  },
) {
  return insertEvents(orm, {
    type,
    sessionId: sql`${sessions.id}`,
    workPoolId: sql`${sessions.workPoolId}`,
    workerId: sql`${sessions.workerId}`,
    owner: sql`${sessions.owner}`,
    ...event,
  });
}

/** Returns a time in milliseconds as ISO 8601 text. */
function toIsoText(ms: SQL): SQL {
  return sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${ms} / 1000.0, 'unixepoch')`;
}
