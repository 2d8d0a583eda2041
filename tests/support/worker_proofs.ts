/**
 * Proofs for calls that tests make as a worker: records each registration, and which worker holds a session.
 *
 * @module
 */
import {
  hashSecret,
  type WorkerCaller,
} from "../../src/http/auth/worker_caller.ts";
import { proofHeaders, type WorkerProof } from "../../src/core/worker_proof.ts";

const WORKER_CALL =
  /^\/workerpool\/workers\/([^/]+)\/(?:heartbeat|claim-session|browser-events)\b/;

const SESSION_CALL = /^\/sessions\/([^/]+)\/(?:events|logs|metrics)$/;

const proofs = new Map<string, WorkerProof>();
const holders = new Map<string, string>();

/** Returns the proof of the worker's last registration. */
export function findProof(workerId: string): WorkerProof {
  return proofs.get(workerId) ?? newProof();
}

/** Returns the worker as the managers receive it. */
export async function findCaller(workerId: string): Promise<WorkerCaller> {
  const { secret, instanceId } = findProof(workerId);
  return { proof: { secretHash: await hashSecret(secret), instanceId } };
}

/** Returns a proof that belongs to no worker. */
export function newProof(): WorkerProof {
  return {
    secret: crypto.randomUUID(),
    instanceId: crypto.randomUUID(),
  };
}

/** Returns the proof headers of a call to a worker's route. @param path Path without `/v1`. */
export function headersFor(
  method: string,
  path: string,
): Readonly<Record<string, string>> {
  const [, workerId] = WORKER_CALL.exec(path) ?? [];
  if (workerId !== undefined) return proofHeaders(findProof(workerId));
  const [, sessionId] = SESSION_CALL.exec(path) ?? [];
  if (method !== "POST" || sessionId === undefined) return {};
  return proofHeaders(findProof(holders.get(sessionId) ?? ""));
}

/** Records the proofs in a response of the API. */
export function learn(
  path: string,
  // deno-lint-ignore no-explicit-any -- what was sent and answered is checked by the tests
  { sent, answered }: { readonly sent: any; readonly answered: any },
): void {
  if (path === "/workerpool/workers" && answered.worker) {
    proofs.set(answered.worker.id, {
      secret: answered.secret ?? sent.secret,
      instanceId: answered.instance_id,
    });
  }
  const [, workerId] = WORKER_CALL.exec(path) ?? [];
  if (workerId === undefined) return;
  for (const { id } of answered.sessions ?? []) holders.set(id, workerId);
}
