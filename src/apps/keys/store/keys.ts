import {
  and,
  desc,
  eq,
  getTableColumns,
  gt,
  isNull,
  lt,
  or,
  type SQL,
  sql,
} from "drizzle-orm";
import { BOOTSTRAP } from "../../../core/caller.ts";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { workPools } from "../../workerpool/models.ts";
import type { KeyRow } from "../key.ts";
import { apiKeys } from "../models.ts";

/** Selects keys to list, newest first. */
export interface KeyListOptions {
  readonly limit: number;
  /** Id of the last key of the previous page. */
  readonly cursor?: string | undefined;
}

/** Keys as read at one moment. */
export interface KeySnapshot {
  readonly rows: readonly KeyRow[];
  /** True if an admin has a key that is not revoked. */
  readonly hasAdmin: boolean;
}

/** Queries of keys. Each method is one round trip. */
export class KeyStore {
  readonly #orm: Database["orm"];

  constructor({ orm }: Database) {
    this.#orm = orm;
  }

  /**
   * Inserts a key. Returns undefined if the work pool does not exist, or the condition is not met.
   *
   * @param workPool Id or name of the work pool that the key is restricted to.
   */
  async insert(
    row: KeyRow,
    workPool?: string,
    condition?: SQL,
  ): Promise<KeyRow | undefined> {
    if (workPool === undefined) {
      await this.#orm.insert(apiKeys).values(row);
      return row;
    }
    const [inserted] = await this.#orm.insert(apiKeys).select(
      selectRestricted(workPool, row, condition),
    ).returning();
    return inserted;
  }

  /** Finds a key by id or prefix. */
  async find(ref: string): Promise<KeyRow | undefined> {
    const [row] = await this.#selectByRef(ref);
    return row;
  }

  async list({ limit, cursor }: KeyListOptions): Promise<readonly KeyRow[]> {
    return await this.#orm.select().from(apiKeys).where(and(
      isNull(apiKeys.signedInFor),
      cursor ? lt(apiKeys.id, cursor) : undefined,
    )).orderBy(desc(apiKeys.id)).limit(limit);
  }

  /** Reports whether a client has a key that is valid at `now`. */
  async hasClientKey(now: number): Promise<boolean> {
    const rows = await this.#orm.select({ id: apiKeys.id }).from(apiKeys).where(
      and(
        eq(apiKeys.role, "client"),
        isNull(apiKeys.revokedAt),
        or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, now)),
      ),
    ).limit(1);
    return rows.length > 0;
  }

  /**
   * Revokes a key and its sign-ins, and returns its new row.
   *
   * @param options With `keepsLastAdmin` the last active admin key is left unchanged.
   */
  async revoke(
    ref: string,
    { now, keepsLastAdmin }: {
      readonly now: number;
      readonly keepsLastAdmin: boolean;
    },
  ): Promise<KeyRow | undefined> {
    const hasOther = sql`EXISTS (SELECT 1 FROM ${apiKeys} AS o
      WHERE o.id <> ${apiKeys.id} AND o.role = 'admin'
      AND o.signed_in_for IS NULL
      AND o.revoked_at IS NULL AND coalesce(o.expires_at, 9e15) > ${now})`;
    const { found: [key] } = await batchNamed(this.#orm, {
      revoked: this.#orm.update(apiKeys).set({ revokedAt: now }).where(and(
        matchesRef(ref),
        isNull(apiKeys.revokedAt),
        keepsLastAdmin
          ? sql`(NOT ${isActiveAdmin(now)} OR ${hasOther})`
          : undefined,
      )),
      found: this.#selectByRef(ref),
      // A sign-in is valid only as long as its key.
      signIns: this.#orm.delete(apiKeys).where(
        sql`${apiKeys.signedInFor} = (SELECT k.id FROM ${apiKeys} AS k
          WHERE (k.id = ${ref} OR k.prefix = ${ref})
          AND k.revoked_at IS NOT NULL)`,
      ),
    });
    return key;
  }

  /** Deletes a key and returns its prefix; undefined if there is none. */
  async delete(id: string): Promise<string | undefined> {
    const [row] = await this.#orm.delete(apiKeys).where(eq(apiKeys.id, id))
      .returning({ prefix: apiKeys.prefix });
    return row?.prefix;
  }

  /**
   * Reads keys by prefix, without sign-ins whose key is revoked or deleted: servers of earlier versions leave them.
   *
   * @param uses Times of last use to write, by id of the key.
   */
  async readKeys(
    prefixes: readonly string[],
    uses?: Readonly<Record<string, number>>,
  ): Promise<KeySnapshot> {
    const { rows, admins } = await batchNamed(this.#orm, {
      uses: uses ? [this.#writeUses(uses)] : [],
      rows: this.#orm.select().from(apiKeys).where(
        sql`${apiKeys.prefix} IN (SELECT value FROM json_each(${
          JSON.stringify(prefixes)
        })) AND ${hasParent}`,
      ),
      // An expired key counts: time alone must not open a grid that requires keys.
      admins: this.#orm.select({ id: apiKeys.id }).from(apiKeys).where(
        and(
          eq(apiKeys.role, "admin"),
          isNull(apiKeys.revokedAt),
          isNull(apiKeys.signedInFor),
        ),
      ).limit(1),
    });
    return { rows, hasAdmin: admins.length > 0 };
  }

  #writeUses(uses: Readonly<Record<string, number>>) {
    return this.#orm.run(sql`UPDATE ${apiKeys} SET last_used_at = use.value
      FROM json_each(${JSON.stringify(uses)}) AS use
      WHERE ${apiKeys.id} = use.key
      AND coalesce(${apiKeys.lastUsedAt}, 0) < use.value`);
  }

  #selectByRef(ref: string) {
    return this.#orm.select().from(apiKeys).where(matchesRef(ref));
  }
}

/** Condition that a row is a key, or a sign-in whose key is not revoked. */
const hasParent: SQL = sql`(${apiKeys.signedInFor} IS NULL
  OR ${apiKeys.signedInFor} = ${BOOTSTRAP.id} OR EXISTS (
    SELECT 1 FROM ${apiKeys} AS k WHERE k.id = ${apiKeys.signedInFor}
    AND k.revoked_at IS NULL))`;

function matchesRef(ref: string): SQL | undefined {
  return and(
    isNull(apiKeys.signedInFor),
    or(eq(apiKeys.id, ref), eq(apiKeys.prefix, ref)),
  );
}

function isActiveAdmin(now: number): SQL {
  return sql`(${apiKeys.role} = 'admin' AND ${apiKeys.revokedAt} IS NULL
    AND coalesce(${apiKeys.expiresAt}, 9e15) > ${now})`;
}

/** Selects the row with the pool's id; no row if there is no such pool. */
function selectRestricted(
  ref: string,
  row: KeyRow,
  condition: SQL = sql`1`,
): SQL {
  const values: Readonly<Record<string, unknown>> = row;
  const cells = Object.entries(getTableColumns(apiKeys)).map(
    ([name, column]) =>
      name === "workPoolId"
        ? sql`${workPools.id}`
        : sql`${sql.param(values[name] ?? null, column)}`,
  );
  return sql`SELECT ${sql.join(cells, sql`, `)} FROM ${workPools}
    WHERE (${workPools.id} = ${ref} OR ${workPools.name} = ${ref})
    AND ${condition}`;
}
