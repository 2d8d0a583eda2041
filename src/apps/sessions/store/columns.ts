import { getTableColumns, sql } from "drizzle-orm";
import { sessions } from "../models.ts";
import type { Session } from "../session.ts";

const { proxy, environment, endpoint: _, logs: __, ...columns } =
  getTableColumns(sessions);

/** Columns of a session that responses may contain; the database removes the secret parts. */
export const publicColumns = {
  ...columns,
  publicProxy: sql<
    Session["publicProxy"]
  >`json_remove(${proxy}, '$.proxy_password')`.mapWith(JSON.parse),
  environmentNames: sql<
    string[]
  >`(SELECT json_group_array(key) FROM json_each(${environment}))`.mapWith(
    JSON.parse,
  ),
};
