import { and, eq, isNull, sql } from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { webhooks } from "../models.ts";
import type { WebhookSecrets } from "../secrets.ts";

/** Encrypts the secrets and headers that an earlier key encrypts. Returns 0: none was ever plain text. */
export async function encryptWebhooks(
  { orm }: Database,
  secrets: WebhookSecrets,
): Promise<number> {
  const pattern = await secrets.currentPattern();
  const rows = await orm.select().from(webhooks).where(and(
    isNull(webhooks.deletedAt),
    sql`(${webhooks.secret} NOT LIKE ${pattern}
      OR ${webhooks.previousSecret} NOT LIKE ${pattern}
      OR EXISTS (SELECT 1 FROM json_each(${webhooks.headers})
        WHERE value NOT LIKE ${pattern}))`,
  ));
  for (const { id, secret, previousSecret, headers, updatedAt } of rows) {
    const reseal = async (sealed: string) =>
      secrets.sealSecret(await secrets.openSecret(sealed, id), id);
    await orm.update(webhooks).set({
      secret: await reseal(secret),
      previousSecret: previousSecret && await reseal(previousSecret),
      headers: await secrets.sealHeaders(
        await secrets.openHeaders(headers, id),
        id,
      ),
      // Another server may change the row at the same time.
    }).where(and(eq(webhooks.id, id), eq(webhooks.updatedAt, updatedAt)));
  }
  return 0;
}
