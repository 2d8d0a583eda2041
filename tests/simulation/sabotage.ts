import { z } from "@hono/zod-openapi";
import type { Entry } from "./ledger.ts";
import type { World } from "./world.ts";

/** Breaks a world before it begins: the simulation must see it. */
export type Sabotage = (world: World) => void | Promise<void>;

/** Starts that take this long are often under way when a lease is lost. */
const SLOW_START_MS = 35_000;

/** Servers without background work. */
export function noReconciler({ replicas }: World): void {
  for (const replica of replicas) replica.isIdle = true;
}

/** Machines that leave some browsers running, and say that they have ended. */
export function leakyMachines({ workers }: World): void {
  for (const { machine } of workers) machine.habits.leaks = 0.1;
}

/** Workers whose clock hardly advances, so that they trust their leases indefinitely. */
export function slowClocks({ workers }: World): void {
  for (const worker of workers) {
    worker.rate = 0.01;
    worker.machine.habits.slowestMs = SLOW_START_MS;
  }
}

/** Servers that accept every report as the session owner's, regardless of sender and fencing token. */
export function noFencing({ replicas, ledger, workers }: World): void {
  for (const { machine } of workers) {
    machine.habits.slowestMs = SLOW_START_MS / 2;
  }
  const proofs = new Map<string, Headers>();
  for (const replica of replicas) {
    replica.tamper = (request) =>
      asFromOwner(
        request,
        proofs,
        (sessionId) => ledger.sessions.get(sessionId),
      );
  }
}

/** Servers that do not see the keys of repeated requests. */
export function noIdempotency({ replicas }: World): void {
  for (const replica of replicas) {
    replica.tamper = (request) => {
      request.headers.delete("idempotency-key");
      return Promise.resolve(request);
    };
  }
}

/** A server that takes workers for larger than they are. */
export function wrongCapacity(world: World): Promise<void> {
  return world.meddle(`CREATE TRIGGER wrong_capacity AFTER INSERT ON workers
    BEGIN UPDATE workers SET capacity = 50 WHERE id = new.id; END`);
}

/** A statement without its guard: what has ended runs again. */
export function undeadSessions(world: World): Promise<void> {
  return world.meddle(`CREATE TRIGGER undead AFTER UPDATE OF status ON sessions
    WHEN new.status = 'crashed' AND old.status = 'running'
    BEGIN UPDATE sessions SET status = 'running' WHERE id = new.id; END`);
}

/** A statement that forgets its event. */
export function silentChanges(world: World): Promise<void> {
  return world.meddle(`CREATE TRIGGER silent AFTER INSERT ON events
    WHEN new.type = 'session.requeued'
    BEGIN DELETE FROM events WHERE sequence = new.sequence; END`);
}

/** A server that forgets to tell that a session is idle. */
export function silentIdleness(world: World): Promise<void> {
  return world.meddle(`CREATE TRIGGER idle AFTER INSERT ON events
    WHEN new.type = 'session.idle'
    BEGIN DELETE FROM events WHERE sequence = new.sequence; END`);
}

const heartbeatSchema = z.looseObject({
  sessions: z.array(z.looseObject({ session_id: z.string() })).default([]),
});

/** The heartbeat as if the owner of its first session had sent it. */
async function asFromOwner(
  request: Request,
  /** Headers of the last heartbeat of each worker. */
  proofs: Map<string, Headers>,
  find: (sessionId: string) => Entry | undefined,
): Promise<Request> {
  if (!request.url.endsWith("/heartbeat")) return request;
  const [, sender = ""] = /([^/]+)\/heartbeat$/.exec(request.url) ?? [];
  proofs.set(sender, request.headers);
  const body = heartbeatSchema.parse(await request.json());
  const [first] = body.sessions;
  const owner = first && find(first.session_id)?.worker_id;
  const sessions = body.sessions.map((report) => ({
    ...report,
    fencing_token: find(report.session_id)?.fencing_token ?? 1,
  }));
  const proof = owner === undefined || owner === null
    ? undefined
    : proofs.get(owner);
  const url = proof && owner ? request.url.replace(sender, owner) : request.url;
  return new Request(url, {
    method: request.method,
    signal: request.signal,
    headers: proof ?? request.headers,
    body: JSON.stringify({ ...body, sessions }),
  });
}
