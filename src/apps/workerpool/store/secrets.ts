import { and, eq, sql } from "drizzle-orm";
import {
  hasPlain,
  openBrowserSecrets,
  sealBrowserSecrets,
  type SecretRow,
} from "../../../db/browser_secrets.ts";
import type { Database, Secrets } from "../../../core/database.ts";
import { workPools } from "../models.ts";
import type { Pool, PoolFields } from "../pool.ts";

/** Encrypts or decrypts the secrets of a row. */
type SecretsChange = (
  values: Parameters<typeof sealBrowserSecrets>[1],
  row: SecretRow,
) => ReturnType<typeof sealBrowserSecrets>;

/** Returns the columns with encrypted secrets. */
export async function sealPool<F extends Partial<PoolFields>>(
  secrets: Secrets,
  id: string,
  fields: F,
): Promise<F> {
  return await mapSecrets(
    fields,
    id,
    (values, row) => sealBrowserSecrets(secrets, values, row),
  );
}

/** Returns a stored pool with decrypted secrets. */
export async function openPool(secrets: Secrets, stored: Pool): Promise<Pool> {
  return await mapSecrets(
    stored,
    stored.id,
    (values, row) => openBrowserSecrets(secrets, values, row),
  );
}

/**
 * Encrypts the secrets that are not encrypted with the current key. Returns the number of rows that had plain-text
 * secrets.
 */
export async function encryptPools(
  { orm }: Database,
  secrets: Secrets,
): Promise<number> {
  const pattern = await secrets.currentPattern();
  const rows = await orm.select().from(workPools).where(sql`EXISTS (
      SELECT 1 FROM json_each(coalesce(${workPools.defaultEnvironment}, '{}'))
      WHERE value NOT LIKE ${pattern})
    OR json_extract(${workPools.defaultProxy}, '$.proxy_password')
      NOT LIKE ${pattern}`);
  for (const row of rows) {
    const { defaultEnvironment, defaultProxy } = await sealPool(
      secrets,
      row.id,
      await openPool(secrets, row),
    );
    await orm.update(workPools).set({ defaultEnvironment, defaultProxy }).where(
      // Another server may change the row at the same time.
      and(eq(workPools.id, row.id), eq(workPools.updatedAt, row.updatedAt)),
    );
  }
  return rows.filter((row) =>
    hasPlain({ environment: row.defaultEnvironment, proxy: row.defaultProxy })
  ).length;
}

/** Returns the columns with `change` applied to those that contain secrets. */
async function mapSecrets<F extends Partial<PoolFields>>(
  fields: F,
  id: string,
  change: SecretsChange,
): Promise<F> {
  const { defaultEnvironment, defaultProxy } = fields;
  if (!defaultEnvironment && !defaultProxy?.proxy_password) return fields;
  const row: SecretRow = {
    table: "work_pools",
    id,
    columns: ["default_environment", "default_proxy"],
  };
  const { environment, proxy } = await change(
    { environment: defaultEnvironment, proxy: defaultProxy },
    row,
  );
  return {
    ...fields,
    ...(environment ? { defaultEnvironment: environment } : {}),
    ...(proxy ? { defaultProxy: proxy } : {}),
  };
}
