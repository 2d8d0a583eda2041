import { SERVER_URL } from "../api/client.ts";

/** Returns the command that starts a worker of a pool. It reads a key from the environment. */
export function buildWorkerCommand(pool: string): string {
  const name = /^[\w.-]+$/.test(pool)
    ? pool
    : `'${pool.replaceAll("'", String.raw`'\''`)}'`;
  return `browsergrid worker --work-pool-id ${name} --api-url ${SERVER_URL}`;
}
