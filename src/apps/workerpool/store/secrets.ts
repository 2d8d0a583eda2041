import { and, eq, sql } from "drizzle-orm";
import {
  hasPlain,
  openBrowserSecrets,
  sealBrowserSecrets,
} from "../../../db/browser_secrets.ts";
import { isSealed } from "../../../db/secrets.ts";
import type {
  Database,
  SecretPosition,
  Secrets,
} from "../../../core/database.ts";
import { workPools } from "../models.ts";
import type { Pool, PoolFields } from "../pool.ts";

const TABLE = "work_pools";

/** Encryption or decryption of the secrets of a row. */
interface Direction {
  readonly browser: typeof sealBrowserSecrets;
  readonly value: (
    secrets: Secrets,
    value: string,
    position: SecretPosition,
  ) => Promise<string>;
}

const SEAL: Direction = {
  browser: sealBrowserSecrets,
  value: (secrets, value, position) => secrets.seal(value, position),
};

const OPEN: Direction = {
  browser: openBrowserSecrets,
  value: async (secrets, value, position) =>
    isSealed(value) ? await secrets.open(value, position) : value,
};

/** Returns the columns with encrypted secrets. */
export async function sealPool<F extends Partial<PoolFields>>(
  secrets: Secrets,
  id: string,
  fields: F,
): Promise<F> {
  return await mapSecrets(fields, SEAL, { secrets, id });
}

/** Returns a stored pool with decrypted secrets. */
export async function openPool(secrets: Secrets, stored: Pool): Promise<Pool> {
  return await mapSecrets(stored, OPEN, { secrets, id: stored.id });
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
    OR EXISTS (
      SELECT 1 FROM json_each(coalesce(${workPools.providerSecrets}, '{}'))
      WHERE value NOT LIKE ${pattern})
    OR json_extract(${workPools.defaultProxy}, '$.proxy_password')
      NOT LIKE ${pattern}`);
  for (const row of rows) {
    const { defaultEnvironment, defaultProxy, providerSecrets } =
      await sealPool(secrets, row.id, await openPool(secrets, row));
    await orm.update(workPools).set({
      defaultEnvironment,
      defaultProxy,
      providerSecrets,
    }).where(
      // Another server may change the row at the same time.
      and(eq(workPools.id, row.id), eq(workPools.updatedAt, row.updatedAt)),
    );
  }
  return rows.filter((row) =>
    hasPlain({
      environment: row.defaultEnvironment,
      proxy: row.defaultProxy,
    }) ||
    Object.values(row.providerSecrets ?? {}).some((value) => !isSealed(value))
  ).length;
}

/** Returns the columns with those that contain secrets changed. */
async function mapSecrets<F extends Partial<PoolFields>>(
  fields: F,
  direction: Direction,
  row: { readonly secrets: Secrets; readonly id: string },
): Promise<F> {
  const [browser, provider] = await Promise.all([
    mapBrowserSecrets(fields, direction, row),
    mapProviderSecrets(fields, direction, row),
  ]);
  return { ...fields, ...browser, ...provider };
}

async function mapBrowserSecrets(
  { defaultEnvironment, defaultProxy }: Partial<PoolFields>,
  direction: Direction,
  { secrets, id }: { readonly secrets: Secrets; readonly id: string },
): Promise<Partial<PoolFields>> {
  if (!defaultEnvironment && !defaultProxy?.proxy_password) return {};
  const { environment, proxy } = await direction.browser(
    secrets,
    { environment: defaultEnvironment, proxy: defaultProxy },
    { table: TABLE, id, columns: ["default_environment", "default_proxy"] },
  );
  return {
    ...(environment ? { defaultEnvironment: environment } : {}),
    ...(proxy ? { defaultProxy: proxy } : {}),
  };
}

async function mapProviderSecrets(
  { providerSecrets }: Partial<PoolFields>,
  direction: Direction,
  { secrets, id }: { readonly secrets: Secrets; readonly id: string },
): Promise<Partial<PoolFields>> {
  if (!providerSecrets) return {};
  const changed = await Promise.all(
    Object.entries(providerSecrets).map(async ([name, value]) => {
      const position = [TABLE, `provider_secrets.${name}`, id] as const;
      return [name, await direction.value(secrets, value, position)] as const;
    }),
  );
  return { providerSecrets: Object.fromEntries(changed) };
}
