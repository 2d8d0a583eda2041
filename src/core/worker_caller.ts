import { z } from "@hono/zod-openapi";
import type { Caller } from "./auth.ts";
import { GridError } from "./errors.ts";
import { INSTANCE_HEADER, SECRET_HEADER } from "./worker_proof.ts";

/** The proof as the database compares it. */
export interface HashedProof {
  readonly secretHash: string;
  readonly instanceId: string;
}

/** Who calls as a worker. */
export interface WorkerCaller {
  readonly proof: HashedProof;
  /** The only work pool of which it may be a worker. */
  readonly workPoolId?: string | undefined;
}

const EXPECTED = "expected what the worker has registered with";

/** Headers of a worker's call. */
export const workerProofSchema = z.object({
  [SECRET_HEADER]: z.string(EXPECTED).min(16, EXPECTED).max(200, EXPECTED)
    .describe(
      "The secret that the worker has registered with, or was given then",
    ),
  [INSTANCE_HEADER]: z.uuid(EXPECTED).describe(
    "The instance_id that it has registered with last, or was given then",
  ),
});

/** Who calls, by the headers and the key of a call. */
export async function readWorkerCaller(
  headers: z.infer<typeof workerProofSchema>,
  { workPoolId }: Pick<Caller, "workPoolId">,
): Promise<WorkerCaller> {
  const secretHash = await hashSecret(headers[SECRET_HEADER]);
  const instanceId = headers[INSTANCE_HEADER];
  return { proof: { secretHash, instanceId }, workPoolId };
}

/** Returns what the database keeps of a worker's secret. */
export async function hashSecret(secret: string): Promise<string> {
  const bytes = new TextEncoder().encode(secret);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex();
}

/** The rejection of a call whose secret is not that of the worker. @param doing Such as "serve". */
export function notThatWorker(doing: string, name: string): GridError {
  return new GridError(
    "unauthorized",
    `Cannot ${doing} worker "${name}": the secret is not that worker's, expected the one that it has registered with in ${SECRET_HEADER}`,
  );
}
