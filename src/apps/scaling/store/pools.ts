import { and, eq, sql } from "drizzle-orm";
import type { Database, Secrets } from "../../../core/database.ts";
import { type Bind, prepare } from "../../../db/prepare.ts";
import type { Pool } from "../../workerpool/manager.ts";
import { workPools } from "../../workerpool/models.ts";
import { machines, scaledPools } from "../models.ts";
import type { ScaledPool } from "./state.ts";

/** A pool that may have machines. */
export interface ScalablePool {
  readonly id: string;
  /** Null if the pool was deleted and has machines still. */
  readonly updatedAt: number | null;
}

/** The configuration of a provider that a removal of machines needs. */
export type ProviderConfig = Readonly<Record<string, unknown>>;

/**
 * Finds the pools of providers with machines, and the pools that have machines still. One round trip.
 *
 * @param providers Names of the providers.
 */
export async function findScalablePools(
  db: Database,
  providers: readonly string[],
): Promise<readonly ScalablePool[]> {
  return await scalableStatements(db, {
    providers: JSON.stringify(providers),
  }).pools;
}

const scalableStatements = prepare((
  { orm },
  bind: Bind<{ readonly providers: string }>,
) => ({
  pools: orm.all<ScalablePool>(sql`SELECT p.id, p.updated_at AS updatedAt
    FROM ${workPools} AS p WHERE p.provider_type IN
      (SELECT value FROM json_each(${bind("providers")}))
    UNION ALL SELECT scaled.pool_id, NULL FROM ${scaledPools} AS scaled
    WHERE NOT EXISTS (SELECT 1 FROM ${workPools} AS p WHERE p.id = scaled.pool_id
      AND p.provider_type IN
        (SELECT value FROM json_each(${bind("providers")})))`),
}));

/**
 * Stores the configuration of a pool with machines. One round trip.
 *
 * @param lease The pass that may replace a stored configuration; undefined if there was none.
 */
export async function saveConfig(
  { db, secrets }: { readonly db: Database; readonly secrets: Secrets },
  { pool, config, lease }: {
    readonly pool: Pick<Pool, "id" | "name" | "providerType" | "updatedAt">;
    readonly config: ProviderConfig;
    readonly lease: Pick<ScaledPool, "leaseOwner" | "pass"> | undefined;
  },
): Promise<void> {
  const copy = {
    name: pool.name,
    providerType: pool.providerType,
    providerConfig: await secrets.seal(
      JSON.stringify(config),
      ["scaled_pools", "provider_config", pool.id],
    ),
    poolUpdatedAt: pool.updatedAt,
  };
  await db.orm.insert(scaledPools).values({
    poolId: pool.id,
    ...copy,
    leaseExpiresAt: 0,
    pass: 0,
    surplusLeast: 0,
    failures: 0,
  }).onConflictDoUpdate({
    target: scaledPools.poolId,
    set: copy,
    setWhere: lease
      ? sql`${scaledPools.leaseOwner} = ${lease.leaseOwner}
        AND ${scaledPools.pass} = ${lease.pass}`
      : sql`0`,
  });
}

/** Decrypts the stored configuration of a pool. */
export async function openConfig(
  secrets: Secrets,
  { poolId, providerConfig }: {
    readonly poolId: string;
    readonly providerConfig: string;
  },
): Promise<ProviderConfig> {
  return JSON.parse(
    await secrets.open(
      providerConfig,
      ["scaled_pools", "provider_config", poolId],
    ),
  );
}

/** Deletes what is stored of a pool, if no machine is left. One round trip. */
export async function forgetPool(
  { orm }: Database,
  { poolId, server }: { readonly poolId: string; readonly server: string },
): Promise<boolean> {
  const { rowsAffected } = await orm.delete(scaledPools).where(and(
    eq(scaledPools.poolId, poolId),
    eq(scaledPools.leaseOwner, server),
    sql`NOT EXISTS (SELECT 1 FROM ${machines} AS m
      WHERE m.pool_id = ${poolId})`,
  ));
  return rowsAffected > 0;
}

/** Releases the leases of a server that stops, so that another acts at once. One round trip. */
export async function releaseLeases(
  { orm }: Database,
  server: string,
): Promise<void> {
  await orm.update(scaledPools).set({ leaseOwner: null }).where(
    eq(scaledPools.leaseOwner, server),
  );
}
