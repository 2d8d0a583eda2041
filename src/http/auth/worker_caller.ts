import { z } from "@hono/zod-openapi";
import type { Caller } from "../../core/caller.ts";
import { GridError } from "../../core/errors.ts";
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

/** Returns the hash of a worker's secret, which the database stores. */
export async function hashSecret(secret: string): Promise<string> {
  const bytes = new TextEncoder().encode(secret);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex();
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
