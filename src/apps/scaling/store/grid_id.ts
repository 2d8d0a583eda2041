import { uuidv7 } from "uuidv7";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { grid } from "../../workers/models.ts";

/** Returns the id of the grid, which it receives now if no worker has registered yet. One round trip. */
export async function readGridId({ orm }: Database): Promise<string> {
  const { found: [row] } = await batchNamed(orm, {
    added: orm.insert(grid).values({ only: 1, id: uuidv7() })
      .onConflictDoNothing(),
    found: orm.select({ id: grid.id }).from(grid),
  });
  if (!row) throw new TypeError("Cannot read the id of the grid");
  return row.id;
}
