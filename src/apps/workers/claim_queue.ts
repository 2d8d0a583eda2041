/**
 * Waiting claims, by pool: each session wakes one of them, the one that waits longest.
 *
 * A woken claim makes an attempt. What it finds decides what happens to the wake:
 *
 * - It got sessions, or found none: the wake is used.
 * - It got all that its worker has room for, and more sessions wait: as many further claims are woken.
 * - Its worker has no room: likewise, and the claim is not woken again before its worker has changed.
 * - It got fewer than its worker has room for, although more sessions wait: no other worker would get one, because of a
 *   limit of the pool or of a key. The next end of a session of the pool wakes a claim.
 * - It has left: the wake goes to the next claim.
 *
 * An attempt may run before a session is stored and return after its event. Such an event wakes no waiting claim, and is
 * kept until the attempts that began before it have returned.
 *
 * @module
 */

/** The result of a claim's attempt: numbers from after it. */
export interface Attempt {
  readonly workPoolId: string;
  /** Number of sessions that the attempt has assigned. */
  readonly assigned: number;
  /** Number of further sessions that the worker may hold. */
  readonly room: number;
  /** Number of further sessions that the pool may hold. */
  readonly poolRoom: number;
  /** Number of sessions that wait in the pool. */
  readonly pending: number;
}

/** The reason for which a waiting claim continues: a session to claim, or a change that ends it. */
export type Wake = "session" | "change";

/** A claim from its first attempt to its response. Its members are the queue's, apart from the methods. */
export class QueuedClaim implements Disposable {
  readonly workerId: string;
  readonly count: number;
  readonly #queue: ClaimQueue;
  state: "trying" | "waiting" | "left" = "trying";
  /** Undefined before the end of the first attempt. */
  poolId: string | undefined;
  /** Time of the start of the last attempt. */
  startedAt = 0;
  /** Time of the last change of its worker. */
  workerChangedAt = 0;
  /** True if its worker had no room. */
  isBlocked = false;
  /** True if it was woken for a session, and its attempt has not returned. */
  isWoken = false;
  /** True if it is to end after an attempt. */
  isChanged = false;
  continue: () => void = () => {};

  constructor(queue: ClaimQueue, workerId: string, count: number) {
    this.#queue = queue;
    this.workerId = workerId;
    this.count = count;
  }

  /** Records the result of an attempt. @param isDone True if there will be no further one. */
  settle(attempt: Attempt, isDone: boolean): void {
    this.#queue.settle(this, attempt, isDone);
  }

  /** Resolves when there is a reason for a further attempt; with undefined if `signal` is aborted. */
  async next(signal: AbortSignal): Promise<Wake | undefined> {
    if (this.state === "waiting" && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.continue = resolve;
      signal.addEventListener("abort", this.continue, { once: true });
      await promise;
      signal.removeEventListener("abort", this.continue);
    }
    if (signal.aborted) return undefined;
    return this.isChanged ? "change" : "session";
  }

  [Symbol.dispose](): void {
    this.#queue.leave(this);
  }
}

/** The waiting claims of a pool. */
interface PoolQueue {
  /** In order of age; also those that make an attempt, which keep their position. */
  readonly claims: Set<QueuedClaim>;
  /** Number of claims that were woken and have not made their attempt. */
  woken: number;
  /** Time at which sessions were found that no worker may claim before another session ends; 0 if there are none. */
  heldBackAt: number;
  /** Time of the last end of a session. */
  endedAt: number;
}

/** A wake that no waiting claim received. */
interface MissedWake {
  readonly poolId: string;
  readonly at: number;
}

/** Waiting claims of all pools. Times are numbers that grow with each event and each attempt. */
export class ClaimQueue {
  readonly #pools = new Map<string, PoolQueue>();
  readonly #byWorker = new Map<string, Set<QueuedClaim>>();
  /** Claims that make an attempt, in order of its start. */
  readonly #trying = new Set<QueuedClaim>();
  #missed: MissedWake[] = [];
  #time = 0;

  /**
   * Adds a claim that makes its first attempt now.
   *
   * @param count Maximum number of sessions; with 0 it waits for changes only.
   */
  enter(workerId: string, count: number): QueuedClaim {
    const claim = new QueuedClaim(this, workerId, count);
    const claims = this.#byWorker.get(workerId) ?? new Set();
    this.#byWorker.set(workerId, claims.add(claim));
    this.start(claim);
    return claim;
  }

  /** Wakes claims of a pool for new sessions. */
  wake(poolId: string, count = 1): void {
    const at = ++this.#time;
    const pool = this.#pools.get(poolId);
    const idle = pool ? findIdle(pool, count) : [];
    for (const claim of idle) this.#wakeFor(claim);
    if (this.#trying.size === idle.length) return;
    for (let left = count - idle.length; left > 0; left--) {
      this.#missed.push({ poolId, at });
    }
  }

  /**
   * Wakes one claim of a pool whose sessions wait, as a poll has found. If no worker has room as far as known, the
   * claims take turns: another server may know better.
   */
  probe(poolId: string): void {
    const pool = this.#pools.get(poolId);
    if (!pool || pool.woken > 0) return;
    const [idle] = findIdle(pool, 1);
    if (idle) return this.#wakeFor(idle);
    for (const claim of pool.claims) {
      if (claim.state !== "waiting") continue;
      pool.claims.delete(claim);
      pool.claims.add(claim);
      return this.#wakeFor(claim);
    }
  }

  /** Wakes the claims of a worker that had no room: it may have some now. */
  workerChanged(workerId: string): void {
    const at = ++this.#time;
    for (const claim of this.#byWorker.get(workerId) ?? []) {
      claim.workerChangedAt = at;
      if (claim.state === "waiting" && claim.isBlocked) this.resume(claim);
    }
  }

  /** Wakes a claim for the end of a session, if that is what the pool's sessions wait for. */
  sessionEnded(poolId: string): void {
    const pool = this.#pools.get(poolId);
    if (pool && pool.heldBackAt > 0) return this.wake(poolId);
    if (this.#trying.size === 0) return;
    this.#pool(poolId).endedAt = ++this.#time;
  }

  /** Ends all claims of a worker. */
  endWorker(workerId: string): void {
    for (const claim of this.#byWorker.get(workerId) ?? []) this.#end(claim);
  }

  /** Ends all claims of a pool that wait for sessions. */
  endPool(poolId: string): void {
    const claims = this.#pools.get(poolId)?.claims ?? [];
    // The pool of a first attempt is not known yet.
    const first = [...this.#trying].filter(({ poolId }) => !poolId);
    for (const claim of [...claims, ...first]) {
      if (claim.count > 0) this.#end(claim);
    }
  }

  /** Records the start of an attempt. */
  start(claim: QueuedClaim): void {
    claim.state = "trying";
    claim.startedAt = ++this.#time;
    this.#trying.add(claim);
  }

  /** Continues a waiting claim without a session for it. */
  resume(claim: QueuedClaim): void {
    claim.isBlocked = false;
    this.start(claim);
    claim.continue();
  }

  /** Records the result of an attempt. Unless the claim is done, it waits from now on, or continues at once. */
  settle(claim: QueuedClaim, attempt: Attempt, isDone: boolean): void {
    const pool = this.#pool(attempt.workPoolId);
    claim.poolId = attempt.workPoolId;
    this.#trying.delete(claim);
    this.#useWake(claim);
    claim.state = isDone ? "left" : "waiting";
    if (claim.count > 0) {
      claim.isBlocked = attempt.room === 0;
      if (!isDone) pool.claims.add(claim);
      this.#spread(claim, pool, attempt);
      this.#continueIfMissed(claim);
    }
    if (claim.isChanged && claim.state === "waiting") this.resume(claim);
    this.#prune();
  }

  /** Removes a claim, and wakes another if it was woken in vain. */
  leave(claim: QueuedClaim): void {
    const { poolId, workerId } = claim;
    const claims = this.#byWorker.get(workerId);
    claims?.delete(claim);
    if (claims?.size === 0) this.#byWorker.delete(workerId);
    this.#trying.delete(claim);
    const wasWoken = this.#useWake(claim);
    claim.state = "left";
    if (poolId !== undefined) {
      this.#pools.get(poolId)?.claims.delete(claim);
      if (wasWoken) this.wake(poolId);
    }
    this.#prune();
  }

  #end(claim: QueuedClaim): void {
    claim.isChanged = true;
    if (claim.state === "waiting") this.resume(claim);
  }

  /** Wakes further claims if the attempt left sessions that other workers may claim. */
  #spread(claim: QueuedClaim, pool: PoolQueue, attempt: Attempt): void {
    const { assigned, room, poolRoom, pending, workPoolId } = attempt;
    const isFull = room === 0 || assigned >= claim.count;
    const isHeldBack = pending > 0 && (!isFull || poolRoom === 0);
    if (isHeldBack) pool.heldBackAt = ++this.#time;
    // An earlier attempt may return later.
    else if (claim.startedAt > pool.heldBackAt) pool.heldBackAt = 0;
    const coming = pool.woken +
      this.#missed.filter(({ poolId }) => poolId === workPoolId).length;
    const more = Math.min(pending, poolRoom) - coming;
    if (isFull && more > 0) this.wake(workPoolId, more);
    const hasEndedSince = pool.endedAt > claim.startedAt;
    if (isHeldBack && hasEndedSince) this.wake(workPoolId);
  }

  #continueIfMissed(claim: QueuedClaim): void {
    if (claim.state !== "waiting") return;
    if (claim.isBlocked) {
      if (claim.workerChangedAt > claim.startedAt) this.resume(claim);
      return;
    }
    const index = this.#missed.findIndex(({ poolId, at }) =>
      poolId === claim.poolId && at > claim.startedAt
    );
    if (index < 0) return;
    this.#missed.splice(index, 1);
    this.#wakeFor(claim);
  }

  /** Continues a waiting claim for one session. */
  #wakeFor(claim: QueuedClaim): void {
    claim.isWoken = true;
    this.#pool(claim.poolId ?? "").woken++;
    this.resume(claim);
  }

  /** Returns true if the claim was woken for a session. */
  #useWake(claim: QueuedClaim): boolean {
    if (!claim.isWoken) return false;
    claim.isWoken = false;
    this.#pool(claim.poolId ?? "").woken--;
    return true;
  }

  /** Forgets what no attempt can have missed. */
  #prune(): void {
    const [oldest] = this.#trying;
    const since = oldest?.startedAt ?? Infinity;
    if (this.#missed.length > 0) {
      this.#missed = this.#missed.filter(({ at }) => at > since);
    }
    if (oldest) return;
    for (const [id, { claims }] of this.#pools) {
      if (claims.size === 0) this.#pools.delete(id);
    }
  }

  #pool(id: string): PoolQueue {
    const found = this.#pools.get(id) ??
      { claims: new Set(), woken: 0, heldBackAt: 0, endedAt: 0 };
    this.#pools.set(id, found);
    return found;
  }
}

/** Returns the claims that wait longest and whose worker may have room. */
function findIdle({ claims }: PoolQueue, count: number): QueuedClaim[] {
  const idle: QueuedClaim[] = [];
  for (const claim of claims) {
    if (idle.length === count) break;
    if (claim.state === "waiting" && !claim.isBlocked) idle.push(claim);
  }
  return idle;
}
