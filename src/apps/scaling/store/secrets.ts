import { and, eq, sql } from "drizzle-orm";
import type { Database, Secrets } from "../../../core/database.ts";
import { machines, scaledPools } from "../models.ts";
import { openConfig } from "./pools.ts";

/** Encrypts the key of a machine's worker for its row. */
export function sealKey(
  secrets: Secrets,
  workerId: string,
  key: string,
): Promise<string> {
  return secrets.seal(key, ["machines", "key", workerId]);
}

/** Decrypts the key of a machine's worker. */
export function openKey(
  secrets: Secrets,
  workerId: string,
  sealed: string,
): Promise<string> {
  return secrets.open(sealed, ["machines", "key", workerId]);
}

/** Encrypts the configurations and keys that an earlier key encrypts. Returns 0: none was ever plain text. */
export async function encryptScaling(
  { orm }: Database,
  secrets: Secrets,
): Promise<number> {
  const pattern = await secrets.currentPattern();
  const pools = await orm.select().from(scaledPools).where(
    sql`${scaledPools.providerConfig} NOT LIKE ${pattern}`,
  );
  for (const pool of pools) {
    const { poolId, poolUpdatedAt } = pool;
    const providerConfig = await secrets.seal(
      JSON.stringify(await openConfig(secrets, pool)),
      ["scaled_pools", "provider_config", poolId],
    );
    await orm.update(scaledPools).set({ providerConfig }).where(and(
      eq(scaledPools.poolId, poolId),
      // Another server may change the row at the same time.
      eq(scaledPools.poolUpdatedAt, poolUpdatedAt),
    ));
  }
  const rows = await orm.select().from(machines).where(
    sql`${machines.key} NOT LIKE ${pattern}`,
  );
  for (const { workerId, key } of rows) {
    if (key === null) continue;
    const again = await openKey(secrets, workerId, key);
    await orm.update(machines).set({
      key: await sealKey(secrets, workerId, again),
    }).where(and(eq(machines.workerId, workerId), eq(machines.key, key)));
  }
  return 0;
}
