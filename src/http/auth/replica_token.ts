/** Header in which a server of the grid proves to another one that it is one: a connect token for a purpose. */
export const REPLICA_HEADER = "x-browsergrid-replica";
