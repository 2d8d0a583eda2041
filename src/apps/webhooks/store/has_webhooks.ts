import type { Database } from "../../../core/database.ts";

/** Reports whether there is a webhook, or a delivery of one that was deleted. One round trip. */
export async function hasWebhooks(
  { client }: Pick<Database, "client">,
): Promise<boolean> {
  const { rows } = await client.execute(
    "SELECT EXISTS (SELECT 1 FROM webhooks) OR EXISTS (SELECT 1 FROM webhook_deliveries) AS found",
  );
  return rows[0]?.["found"] === 1;
}
