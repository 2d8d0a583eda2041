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
import type { Database } from "../../../core/database.ts";
import { workPools } from "../../workerpool/models.ts";
import type { KeyRow } from "../key.ts";
import { apiKeys, gridSecrets } from "../models.ts";

/** Which keys to list, newest first. */
export interface KeyListOptions {
  readonly limit: number;
  /** Id of the last one seen. */
  readonly cursor?: string | undefined;
}

/** What a look at many keys brings. */
export interface KeySnapshot {
  readonly rows: readonly KeyRow[];
  readonly hasAdmin: boolean;
}

/** SQL of keys. Each method is one round trip. */
export interface KeyStore {
  /** @param workPool Id or name of the pool that it is restricted to. Undefined: there is none such. */
  insert(row: KeyRow, workPool?: string): Promise<KeyRow | undefined>;
  /** By id or prefix. */
  find(ref: string): Promise<KeyRow | undefined>;
  list(page: KeyListOptions): Promise<readonly KeyRow[]>;
  /** Reports whether a client has a key that is valid at `now`. */
  hasClient(now: number): Promise<boolean>;
  /** The key as it is afterwards. @param keepsLastAdmin Leaves the last active key of an admin as it is. */
  revoke(
    ref: string,
    options: { readonly now: number; readonly keepsLastAdmin: boolean },
  ): Promise<KeyRow | undefined>;
  /** Keys by prefixes, and whether an admin has one that is not revoked. Writes when keys were used, by id. */
  readKeys(
    prefixes: readonly string[],
    used?: Readonly<Record<string, number>>,
  ): Promise<KeySnapshot>;
  /** The secret of that name; `made` becomes it if there is none. */
  readSecret(name: string, made: string): Promise<string>;
}

/** The store over `db`. */
export function createKeyStore({ orm }: Database): KeyStore {
  const find = (ref: string) =>
    orm.select().from(apiKeys).where(matchesRef(ref));
  const byPrefix = (prefixes: readonly string[]) =>
    orm.select().from(apiKeys).where(
      sql`${apiKeys.prefix} IN (SELECT value FROM json_each(${
        JSON.stringify(prefixes)
      }))`,
    );
  // An ended one counts: time alone must not open a grid that asked for keys.
  const admins = () =>
    orm.select({ id: apiKeys.id }).from(apiKeys).where(
      and(eq(apiKeys.role, "admin"), isNull(apiKeys.revokedAt)),
    ).limit(1);
  const secretOf = (name: string) =>
    orm.select().from(gridSecrets).where(eq(gridSecrets.name, name));
  return {
    async insert(row, workPool) {
      if (workPool === undefined) {
        await orm.insert(apiKeys).values(row);
        return row;
      }
      const [inserted] = await orm.insert(apiKeys).select(
        selectRestricted(workPool, row),
      ).returning();
      return inserted;
    },
    find: async (ref) => (await find(ref))[0],
    list: async ({ limit, cursor }) =>
      await orm.select().from(apiKeys).where(
        cursor ? lt(apiKeys.id, cursor) : undefined,
      ).orderBy(desc(apiKeys.id)).limit(limit),
    async revoke(ref, { now, keepsLastAdmin: keepsLastAdmin }) {
      const isAnother = sql`EXISTS (SELECT 1 FROM ${apiKeys} AS o
        WHERE o.id <> ${apiKeys.id} AND o.role = 'admin'
        AND o.revoked_at IS NULL AND coalesce(o.expires_at, 9e15) > ${now})`;
      const [, [key]] = await orm.batch([
        orm.update(apiKeys).set({ revokedAt: now }).where(and(
          matchesRef(ref),
          isNull(apiKeys.revokedAt),
          keepsLastAdmin
            ? sql`(NOT ${isActiveAdmin(now)} OR ${isAnother})`
            : undefined,
        )),
        find(ref),
      ]);
      return key;
    },
    async readKeys(prefixes, used) {
      if (!used) {
        const [rows, found] = await orm.batch([
          byPrefix(prefixes),
          admins(),
        ]);
        return { rows, hasAdmin: found.length > 0 };
      }
      const [, rows, found] = await orm.batch([
        orm.run(sql`UPDATE ${apiKeys} SET last_used_at = use.value
          FROM json_each(${JSON.stringify(used)}) AS use
          WHERE ${apiKeys.id} = use.key
          AND coalesce(${apiKeys.lastUsedAt}, 0) < use.value`),
        byPrefix(prefixes),
        admins(),
      ]);
      return { rows, hasAdmin: found.length > 0 };
    },
    async hasClient(now) {
      const found = await orm.select({ id: apiKeys.id }).from(apiKeys).where(
        and(
          eq(apiKeys.role, "client"),
          isNull(apiKeys.revokedAt),
          or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, now)),
        ),
      ).limit(1);
      return found.length > 0;
    },
    async readSecret(name, made) {
      // Read first, because a server also starts while the database is read-only.
      const [existing] = await secretOf(name);
      if (existing) return existing.value;
      const [, [secret]] = await orm.batch([
        orm.insert(gridSecrets).values({ name, value: made })
          .onConflictDoNothing(),
        secretOf(name),
      ]);
      return secret?.value ?? made;
    },
  };
}

function matchesRef(ref: string): SQL | undefined {
  return or(eq(apiKeys.id, ref), eq(apiKeys.prefix, ref));
}

function isActiveAdmin(now: number): SQL {
  return sql`(${apiKeys.role} = 'admin' AND ${apiKeys.revokedAt} IS NULL
    AND coalesce(${apiKeys.expiresAt}, 9e15) > ${now})`;
}

/** The row with the pool's id; nothing if there is no such pool. */
function selectRestricted(ref: string, row: KeyRow): SQL {
  const values: Readonly<Record<string, unknown>> = row;
  const cells = Object.entries(getTableColumns(apiKeys)).map(
    ([name, column]) =>
      name === "workPoolId"
        ? sql`${workPools.id}`
        : sql`${sql.param(values[name] ?? null, column)}`,
  );
  return sql`SELECT ${sql.join(cells, sql`, `)} FROM ${workPools}
    WHERE ${workPools.id} = ${ref} OR ${workPools.name} = ${ref}`;
}
