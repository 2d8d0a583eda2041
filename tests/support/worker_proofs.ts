/**
 * Proves calls that tests make by hand as a worker: remembers what each registered with, and who holds a session.
 *
 * @module
 */
import { hashSecret, type WorkerCaller } from "../../src/core/worker_caller.ts";
import { proofHeaders, type WorkerProof } from "../../src/core/worker_proof.ts";

const WORKER_CALL =
  /^\/workerpool\/workers\/([^/]+)\/(?:heartbeat|claim-session)\b/;

const SESSION_CALL = /^\/sessions\/([^/]+)\/(?:events|metrics)$/;

const proofs = new Map<string, WorkerProof>();
const holders = new Map<string, string>();

/** What the worker has registered with last. */
export function proofOf(workerId: string): WorkerProof {
  return proofs.get(workerId) ?? newProof();
}

/** The worker as the managers see it. */
export async function callerOf(workerId: string): Promise<WorkerCaller> {
  const { secret, instanceId } = proofOf(workerId);
  return { proof: { secretHash: await hashSecret(secret), instanceId } };
}

/** A proof that is no worker's. */
export function newProof(): WorkerProof {
  return {
    secret: crypto.randomUUID(),
    instanceId: crypto.randomUUID(),
  };
}

/** Headers that prove a call, for what only workers call. @param path Without `/v1`. */
export function headersFor(
  method: string,
  path: string,
): Readonly<Record<string, string>> {
  const [, workerId] = WORKER_CALL.exec(path) ?? [];
  if (workerId !== undefined) return proofHeaders(proofOf(workerId));
  const [, sessionId] = SESSION_CALL.exec(path) ?? [];
  if (method !== "POST" || sessionId === undefined) return {};
  return proofHeaders(proofOf(holders.get(sessionId) ?? ""));
}

/** Learns from an answer of the API. */
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
