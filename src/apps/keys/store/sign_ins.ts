import { and, eq, getTableColumns, lt, type SQL, sql } from "drizzle-orm";
import { BOOTSTRAP } from "../../../core/caller.ts";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import type { KeyRow } from "../key.ts";
import { apiKeys } from "../models.ts";

/** Maximum number of sign-ins of one key. Another one ends the oldest. */
const MAX_SIGN_INS = 50;

/** A row of a sign-in. */
export type SignInRow = KeyRow & {
  readonly signedInFor: string;
  readonly expiresAt: number;
};

/** Queries of sign-ins, which are keys in cookies. Each method is one round trip. */
export class SignInStore {
  readonly #orm: Database["orm"];

  constructor({ orm }: Database) {
    this.#orm = orm;
  }

  /**
   * Inserts a sign-in, which ends with its key at the latest. Deletes expired ones, and the key's oldest above the
   * maximum. Returns undefined if the key is not valid any more.
   */
  async insert(row: SignInRow): Promise<KeyRow | undefined> {
    const { signedInFor, createdAt } = row;
    const { inserted: [inserted] } = await batchNamed(this.#orm, {
      expired: this.#orm.delete(apiKeys).where(and(
        sql`${apiKeys.signedInFor} IS NOT NULL`,
        lt(apiKeys.expiresAt, createdAt),
      )),
      inserted: this.#orm.insert(apiKeys).select(selectRow(row)).returning(),
      oldest: this.#orm.delete(apiKeys).where(
        sql`${apiKeys.signedInFor} = ${signedInFor} AND ${apiKeys.id} NOT IN (
          SELECT o.id FROM ${apiKeys} AS o
          WHERE o.signed_in_for = ${signedInFor}
          ORDER BY o.id DESC LIMIT ${MAX_SIGN_INS})`,
      ),
    });
    return inserted;
  }

  /** Deletes one sign-in, or all of the key of `signedInFor`. */
  async remove(
    which: { readonly prefix: string } | { readonly signedInFor: string },
  ): Promise<void> {
    await this.#orm.delete(apiKeys).where(
      "prefix" in which
        ? and(
          eq(apiKeys.prefix, which.prefix),
          sql`${apiKeys.signedInFor} IS NOT NULL`,
        )
        : eq(apiKeys.signedInFor, which.signedInFor),
    );
  }
}

/** Selects the row, with the expiry of its key if that is earlier; no row if the key is not valid. */
function selectRow(row: SignInRow): SQL {
  const { signedInFor, expiresAt, createdAt } = row;
  const values: Readonly<Record<string, unknown>> = row;
  const cells = Object.entries(getTableColumns(apiKeys)).map(
    ([name, column]) =>
      name === "expiresAt"
        ? sql`min(${expiresAt}, coalesce((SELECT k.expires_at
          FROM ${apiKeys} AS k WHERE k.id = ${signedInFor}), ${expiresAt}))`
        : sql`${sql.param(values[name] ?? null, column)}`,
  );
  return sql`SELECT ${sql.join(cells, sql`, `)}
    WHERE ${signedInFor} = ${BOOTSTRAP.id} OR EXISTS (
      SELECT 1 FROM ${apiKeys} AS k
      WHERE k.id = ${signedInFor} AND k.revoked_at IS NULL
      AND coalesce(k.expires_at, 9e15) > ${createdAt})`;
}
