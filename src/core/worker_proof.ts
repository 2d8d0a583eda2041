/**
 * Proof of a worker's registration, sent with every call: the secret identifies the worker, the instance id its
 * process.
 *
 * Imports nothing, because the client depends on it and has no dependencies.
 *
 * @module
 */

/** Header with the secret that a worker registered with. */
export const SECRET_HEADER = "x-browsergrid-secret";

/** Header with the instance id of a worker's process. */
export const INSTANCE_HEADER = "x-browsergrid-instance";

/** The proof of a worker. */
export interface WorkerProof {
  /** Secret that the worker registered with. */
  readonly secret: string;
  /** Id of the worker's process. */
  readonly instanceId: string;
}

/** Returns the headers that contain `proof`. */
export function proofHeaders(
  { secret, instanceId }: WorkerProof,
): Readonly<Record<string, string>> {
  return { [SECRET_HEADER]: secret, [INSTANCE_HEADER]: instanceId };
}
