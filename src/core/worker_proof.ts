/**
 * What a worker proves its registration with, on every call: which worker it is, by the secret it has registered with, and
 * which process of it, by the instance id.
 *
 * Imports nothing: the client needs it, and has no dependency.
 *
 * @module
 */

/** Header in which a worker shows the secret that it has registered with. */
export const SECRET_HEADER = "x-browsergrid-secret";

/** Header in which a worker tells which of its processes it is. */
export const INSTANCE_HEADER = "x-browsergrid-instance";

/** The proof as a worker keeps it. */
export interface WorkerProof {
  readonly secret: string;
  readonly instanceId: string;
}

/** The headers that show `proof`. */
export function proofHeaders(
  { secret, instanceId }: WorkerProof,
): Readonly<Record<string, string>> {
  return { [SECRET_HEADER]: secret, [INSTANCE_HEADER]: instanceId };
}
