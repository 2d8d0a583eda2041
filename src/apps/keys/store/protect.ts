import { and, eq, notLike } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { isSealed } from "../../../db/secrets.ts";
import type { Secrets } from "../../../core/database.ts";
import { toSecretPosition } from "../grid_secret.ts";
import { gridSecrets } from "../models.ts";

/**
 * Encrypts the grid's secrets that are not encrypted with the current key. Returns the number of secrets that were
 * plain text.
 */
export async function protectGridSecrets(
  { orm }: Database,
  secrets: Secrets,
): Promise<number> {
  const rows = await orm.select().from(gridSecrets).where(
    notLike(gridSecrets.value, await secrets.currentPattern()),
  );
  for (const { name, value } of rows) {
    const place = toSecretPosition(name);
    const text = isSealed(value) ? await secrets.open(value, place) : value;
    await orm.update(gridSecrets).set({
      value: await secrets.sealUnchecked(text, place),
    }).where(and(eq(gridSecrets.name, name), eq(gridSecrets.value, value)));
  }
  return rows.filter(({ value }) => !isSealed(value)).length;
}
