import { Column, getTableColumns, is, type SQL, sql } from "drizzle-orm";
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

/**
 * Returns SQL for the fields as one JSON object by their names. A list reads and parses one text a row, which takes a
 * fifth of the time of its fifty values.
 */
export function toJsonObject(
  fields: Readonly<Record<string, Column | SQL>>,
): SQL {
  const members = Object.entries(fields).map(([name, field]) =>
    sql`${sql.raw(`'${name}'`)}, ${toJsonValue(field)}`
  );
  return sql`json_object(${sql.join(members, sql`, `)})`;
}

function toJsonValue(field: Column | SQL): SQL {
  if (!is(field, Column)) return sql`json(${field})`;
  switch (field.dataType) {
    case "json":
      return sql`json(${field})`;
    case "boolean":
      return sql`json(iif(${field}, 'true', 'false'))`;
    default:
      return sql`${field}`;
  }
}
