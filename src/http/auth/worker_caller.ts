import { z } from "@hono/zod-openapi";
import type { SQL } from "drizzle-orm";
import type { Caller } from "../../core/caller.ts";
import { GridError } from "../../core/errors.ts";
import { hashKey } from "../../core/redact.ts";
import { INSTANCE_HEADER, SECRET_HEADER } from "../../core/worker_proof.ts";

/** The proof in the form that the database compares. */
export interface HashedProof {
  readonly secretHash: string;
  readonly instanceId: string;
}

/** The caller of a worker's route. */
export interface WorkerCaller {
  readonly proof: HashedProof;
  /** Id of the only work pool that the caller may serve; undefined means any. */
  readonly workPoolId?: string | undefined;
}

/** The values of a {@linkcode WorkerCaller} in a statement. */
export interface CallerValues {
  readonly secretHash: string;
  readonly instanceId: string;
  /** The only pool that the caller may serve; undefined means any. */
  readonly callerPoolId: string | undefined;
}

/** A {@linkcode WorkerCaller} whose values may be SQL. */
export interface CallerSql {
  readonly proof: {
    readonly secretHash: string | SQL;
    readonly instanceId: string | SQL;
  };
  readonly workPoolId?: string | SQL | undefined;
}

/** Returns the values of the caller, for {@linkcode bindCaller}. */
export function toCallerValues(
  { proof: { secretHash, instanceId }, workPoolId }: WorkerCaller,
): CallerValues {
  return { secretHash, instanceId, callerPoolId: workPoolId };
}

/** Returns the caller of a prepared statement. */
export function bindCaller(
  bind: <K extends keyof CallerValues>(name: K) => SQL,
): CallerSql {
  return {
    proof: {
      secretHash: bind("secretHash"),
      instanceId: bind("instanceId"),
    },
    workPoolId: bind("callerPoolId"),
  };
}

const EXPECTED = "expected the values that the worker registered with";

/** Headers of a worker's call. */
export const workerProofSchema = z.object({
  [SECRET_HEADER]: z.string(EXPECTED).min(16, EXPECTED).max(200, EXPECTED)
    .describe(
      "The secret that the worker registered with or received",
    ),
  [INSTANCE_HEADER]: z.uuid(EXPECTED).describe(
    "The instance_id that the worker last registered with or received",
  ),
});

/** Returns the caller of a worker's route, from the headers and the key. */
export async function readWorkerCaller(
  headers: z.infer<typeof workerProofSchema>,
  { workPoolId }: Pick<Caller, "workPoolId">,
): Promise<WorkerCaller> {
  const secretHash = await hashSecret(headers[SECRET_HEADER]);
  const instanceId = headers[INSTANCE_HEADER];
  return { proof: { secretHash, instanceId }, workPoolId };
}

/** Returns the hash of a worker's secret, which the database stores. Workers present theirs with every call. */
export function hashSecret(secret: string): Promise<string> {
  return hashKey(secret);
}

/**
 * Returns the rejection of a call whose secret is not the worker's. @param doing Verb of the message, such as "serve".
 */
export function wrongWorkerSecret(doing: string, name: string): GridError {
  return new GridError(
    "unauthorized",
    `Cannot ${doing} worker "${name}": the secret in ${SECRET_HEADER} is wrong, expected the one that the worker registered with`,
  );
}
