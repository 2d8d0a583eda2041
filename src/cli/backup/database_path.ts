import { resolve } from "node:path";
import type { Settings } from "../../core/settings.ts";
import { resolveDatabaseUrl } from "../../server/grid.ts";
import { findDatabaseFile } from "../database_file.ts";
import { redactDatabaseUrl } from "../redact_settings.ts";

/**
 * Returns the path of the file that contains the database.
 *
 * @param verb What the command does: `back up`.
 * @throws {Error} If it is in memory or on a remote server. The message says what to use instead.
 */
export function requireDatabaseFile(settings: Settings, verb: string): string {
  const file = findDatabaseFile(settings);
  if (file !== undefined) return resolve(file);
  const url = redactDatabaseUrl(resolveDatabaseUrl(settings));
  throw new Error(
    url === ":memory:"
      ? `Cannot ${verb} database ":memory:": it ends with its server, expected a file`
      : `Cannot ${verb} database "${url}": it is on a remote server, expected a file; use the backups of its host, such as "turso db shell NAME .dump" and Turso's point-in-time restore`,
  );
}
