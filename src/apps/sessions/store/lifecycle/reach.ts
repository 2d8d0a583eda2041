import type { ResultSet } from "@libsql/client";
import { sql } from "drizzle-orm";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Statement } from "../../../../core/database.ts";
import { workers } from "../../../workers/models.ts";
import { sessions } from "../../models.ts";

/** Returns the statement that stores the path to a worker's running sessions, unless the worker has asked for one. */
export function setReach(
  orm: LibSQLDatabase,
  workerId: string,
  reach: "direct" | "tunnel",
): Statement<ResultSet> {
  return orm.run(sql`UPDATE ${sessions} SET reach = ${reach}
    WHERE ${sessions.workerId} = ${workerId} AND ${sessions.status} = 'running'
    AND EXISTS (SELECT 1 FROM ${workers} AS w
      WHERE w.id = ${workerId} AND w.reach = 'auto')`);
}
