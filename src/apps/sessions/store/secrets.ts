import { eq, sql } from "drizzle-orm";
import {
  hasPlain,
  openBrowserSecrets,
  sealBrowserSecrets,
  type SecretRow,
} from "../../../db/browser_secrets.ts";
import type { Database } from "../../../core/database.ts";
import type { Secrets } from "../../../core/database.ts";
import { sessions } from "../models.ts";
import type { SessionRow } from "../session.ts";

/** Number of rows that are encrypted in one round trip. */
const BATCH = 200;

type SessionSecrets = Pick<SessionRow, "id" | "environment" | "proxy">;

/** Encrypts the secrets of a session, for storage. */
export async function sealSession<S extends SessionSecrets>(
  secrets: Secrets,
  session: S,
): Promise<S> {
  const sealed = await sealBrowserSecrets(
    secrets,
    session,
    toSecretRow(session),
  );
  return { ...session, ...sealed };
}

/** Decrypts the secrets of a stored session. */
export async function openSession<S extends SessionSecrets>(
  secrets: Secrets,
  stored: S,
): Promise<S> {
  const opened = await openBrowserSecrets(secrets, stored, toSecretRow(stored));
  return { ...stored, ...opened };
}

/**
 * Encrypts the secrets that are not encrypted with the current key. Returns the number of rows that had plain-text
 * secrets.
 */
export async function protectSessions(
  { orm }: Database,
  secrets: Secrets,
): Promise<number> {
  const pattern = await secrets.currentPattern();
  let plain = 0;
  for (;;) {
    const rows = await orm.select({
      id: sessions.id,
      environment: sessions.environment,
      proxy: sessions.proxy,
    }).from(sessions).where(sql`(${sessions.environment} <> '{}' AND EXISTS (
        SELECT 1 FROM json_each(${sessions.environment})
        WHERE value NOT LIKE ${pattern}))
      OR json_extract(${sessions.proxy}, '$.proxy_password') NOT LIKE ${pattern}`)
      .limit(BATCH);
    const sealed = await Promise.all(
      rows.map(async (row) =>
        await sealSession(secrets, await openSession(secrets, row))
      ),
    );
    const [first, ...others] = sealed.map(({ id, ...parts }) =>
      orm.update(sessions).set(parts).where(eq(sessions.id, id))
    );
    if (!first) return plain;
    await orm.batch([first, ...others]);
    plain += rows.filter(hasPlain).length;
  }
}

function toSecretRow({ id }: SessionSecrets): SecretRow {
  return { table: "sessions", id, columns: ["environment", "proxy"] };
}
