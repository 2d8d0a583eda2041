import { getTableColumns } from "drizzle-orm";
import { handovers } from "../models.ts";

const { linkToken: _, ...columns } = getTableColumns(handovers);

/** Columns of a request that may leave the store. */
export const publicColumns = columns;
