import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  type Attempt,
  ClaimQueue,
  type QueuedClaim,
} from "../../../src/apps/workers/claim_queue.ts";

const POOL = "pool";

/** Result of an attempt that finds nothing to claim. */
const NOTHING: Attempt = {
  workPoolId: POOL,
  assigned: 0,
  room: 5,
  poolRoom: 100,
  pending: 0,
};

const NEVER = new AbortController().signal;

const IS_DONE = true;

const WAITS = false;

/** Returns claims of different workers that wait, in order of age. */
function wait(queue: ClaimQueue, count: number): QueuedClaim[] {
  return Array.from({ length: count }, (_, index) => {
    const claim = queue.enter(`worker-${index}`, 5);
    claim.settle(NOTHING, WAITS);
    return claim;
  });
}

/** Positions of the claims that make an attempt. */
function findTrying(claims: readonly QueuedClaim[]): number[] {
  return claims.flatMap(({ state }, index) =>
    state === "trying" ? [index] : []
  );
}

Deno.test("each session wakes the one claim that waits longest", () => {
  const queue = new ClaimQueue();
  const claims = wait(queue, 4);
  queue.wake(POOL);
  assert.deepEqual(findTrying(claims), [0]);
  queue.wake(POOL);
  assert.deepEqual(findTrying(claims), [0, 1]);
  queue.wake("other");
  assert.deepEqual(findTrying(claims), [0, 1]);
});

Deno.test("a claim that was woken in vain keeps its turn", () => {
  const queue = new ClaimQueue();
  const claims = wait(queue, 3);
  queue.wake(POOL);
  claims[0]?.settle(NOTHING, WAITS);
  assert.deepEqual(findTrying(claims), []);
  queue.wake(POOL);
  assert.deepEqual(findTrying(claims), [0]);
});

Deno.test("the wake of a claim that leaves goes to the next one", () => {
  const queue = new ClaimQueue();
  const claims = wait(queue, 3);
  queue.wake(POOL);
  claims[0]?.[Symbol.dispose]();
  assert.deepEqual(findTrying(claims), [1]);
  claims[1]?.[Symbol.dispose]();
  assert.deepEqual(findTrying(claims), [2]);
});

Deno.test("a claim that leaves sessions behind wakes as many further claims as can get one", () => {
  const queue = new ClaimQueue();
  const claims = wait(queue, 6);
  queue.wake(POOL);
  claims[0]?.settle(
    { ...NOTHING, assigned: 5, room: 0, pending: 4, poolRoom: 3 },
    IS_DONE,
  );
  assert.deepEqual(findTrying(claims), [1, 2, 3]);
});

Deno.test("a claim whose worker has no room passes its wake on, and is woken when its worker has changed", () => {
  const queue = new ClaimQueue();
  const claims = wait(queue, 2);
  queue.wake(POOL);
  claims[0]?.settle({ ...NOTHING, room: 0, pending: 1 }, WAITS);
  assert.deepEqual(findTrying(claims), [1]);
  claims[1]?.settle({ ...NOTHING, room: 0, pending: 1 }, WAITS);
  assert.deepEqual(findTrying(claims), []);
  queue.wake(POOL);
  assert.deepEqual(findTrying(claims), []);
  queue.workerChanged("worker-1");
  assert.deepEqual(findTrying(claims), [1]);
});

Deno.test("sessions that no worker may claim wake a claim at the next end of a session of their pool", () => {
  const queue = new ClaimQueue();
  const claims = wait(queue, 3);
  queue.sessionEnded(POOL);
  assert.deepEqual(findTrying(claims), []);
  queue.wake(POOL);
  claims[0]?.settle({ ...NOTHING, poolRoom: 0, pending: 7 }, WAITS);
  assert.deepEqual(findTrying(claims), []);
  queue.sessionEnded(POOL);
  assert.deepEqual(findTrying(claims), [0]);
});

Deno.test("a session that is created during an attempt is not missed by its claim", () => {
  const queue = new ClaimQueue();
  const claim = queue.enter("worker", 5);
  queue.wake(POOL);
  claim.settle(NOTHING, WAITS);
  assert.equal(claim.state, "trying");
  claim.settle(NOTHING, WAITS);
  assert.equal(claim.state, "waiting");
});

Deno.test("the end of a session during an attempt is not missed by its claim", () => {
  const queue = new ClaimQueue();
  const claim = queue.enter("worker", 5);
  queue.sessionEnded(POOL);
  claim.settle({ ...NOTHING, poolRoom: 0, pending: 1 }, WAITS);
  assert.equal(claim.state, "trying");
  queue.workerChanged("worker");
  claim.settle({ ...NOTHING, room: 0, pending: 1 }, WAITS);
  assert.equal(claim.state, "trying");
});

Deno.test("a poll wakes one claim of a pool, and claims without room in turn", () => {
  const queue = new ClaimQueue();
  const claims = wait(queue, 2);
  queue.probe(POOL);
  queue.probe(POOL);
  assert.deepEqual(findTrying(claims), [0]);
  for (const claim of claims) claim.settle({ ...NOTHING, room: 0 }, WAITS);
  const turns = [1, 2, 3].map(() => {
    queue.probe(POOL);
    const [trying = -1] = findTrying(claims);
    claims[trying]?.settle({ ...NOTHING, room: 0 }, WAITS);
    return trying;
  });
  assert.deepEqual(turns, [0, 1, 0]);
});

Deno.test("a command ends all claims of its worker, and a changed pool those that wait for its sessions", async () => {
  const queue = new ClaimQueue();
  const [sessions, commands] = [5, 0].map((count) =>
    queue.enter("worker", count)
  );
  for (const claim of [sessions, commands]) claim?.settle(NOTHING, WAITS);
  queue.endPool(POOL);
  assert.equal(await sessions?.next(NEVER), "change");
  assert.equal(commands?.state, "waiting");
  queue.endWorker("worker");
  assert.equal(await commands?.next(NEVER), "change");
});

/** A step of the model: the kind, and a number that selects whom it concerns. */
const step = fc.tuple(
  fc.oneof(
    ...([
      ["create", 6],
      ["enter", 6],
      ["run", 6],
      ["settle", 6],
      ["rest", 4],
      [
        "end",
        4,
      ],
      ["leave", 3],
      ["toggle", 2],
      ["limit", 1],
    ] as const).map((
      [kind, weight],
    ) => ({ arbitrary: fc.constant(kind), weight })),
  ),
  fc.nat(1_000),
);

/** A pool with workers, as the database sees it, and its claims. */
class Model {
  readonly queue = new ClaimQueue();
  readonly pending: number[] = [];
  readonly held: { readonly worker: number; readonly owner: number }[] = [];
  readonly claims: {
    readonly claim: QueuedClaim;
    readonly worker: number;
    result?: Attempt | undefined;
  }[] = [];
  /** False for a worker that drains. */
  readonly isOpen = [true, true, true];
  limit = 100;
  attempts = 0;
  /** Changes after which an attempt may be needed. */
  changes = 0;

  step(kind: string, n: number): void {
    if (kind === "create") {
      this.changes++;
      this.pending.push(n % 2);
      this.queue.wake(POOL);
    } else if (kind === "enter") {
      this.changes++;
      const worker = n % 3;
      const claim = this.queue.enter(`${worker}`, 1 + n % 2);
      this.claims.push({ claim, worker });
    } else if (kind === "end" && this.held.length > 0) {
      const [ended] = this.held.splice(n % this.held.length, 1);
      this.#changeWorker(ended?.worker ?? 0);
      this.queue.sessionEnded(POOL);
    } else if (kind === "toggle") {
      this.isOpen[n % 3] = !this.isOpen[n % 3];
      this.#changeWorker(n % 3);
    } else if (kind === "limit") {
      this.limit = n % 6;
      this.changes += this.claims.length;
      this.queue.endPool(POOL);
    } else if (kind === "leave" && this.claims.length > 0) {
      this.changes++;
      this.claims.splice(n % this.claims.length, 1)[0]?.claim
        [Symbol.dispose]();
    } else if (kind === "run") this.#run(n);
    else if (kind === "settle") this.#settle(n);
    else if (kind === "rest") this.rest();
  }

  /** Runs all attempts to their end. No claim that waits then could get a session. */
  rest(): void {
    while (this.claims.some(({ claim }) => claim.state === "trying")) {
      this.#run(0);
      this.#settle(0);
    }
    for (const { claim, worker } of this.claims) {
      assert.equal(claim.state, "waiting");
      assert.deepEqual(this.#select(worker, claim.count), []);
    }
  }

  #changeWorker(worker: number): void {
    this.changes += 1 +
      this.claims.filter((each) => each.worker === worker).length;
    this.queue.workerChanged(`${worker}`);
  }

  #run(n: number): void {
    const ready = this.claims.filter(({ claim, result }) =>
      claim.state === "trying" && !result
    );
    const chosen = ready[n % ready.length];
    if (!chosen) return;
    this.attempts++;
    const { worker, claim } = chosen;
    const taken = this.#select(worker, claim.count);
    for (const index of taken.toReversed()) {
      const [owner = 0] = this.pending.splice(index, 1);
      this.held.push({ worker, owner });
    }
    chosen.result = {
      workPoolId: POOL,
      assigned: taken.length,
      room: this.#countRoom(worker),
      poolRoom: Math.max(0, this.limit - this.held.length),
      pending: this.pending.length,
    };
  }

  #settle(n: number): void {
    const ready = this.claims.filter(({ result }) => result);
    const chosen = ready[n % ready.length];
    if (!chosen?.result) return;
    const { claim, result } = chosen;
    const isDone = result.assigned > 0 || claim.isChanged;
    chosen.result = undefined;
    claim.settle(result, isDone);
    if (!isDone) return;
    this.claims.splice(this.claims.indexOf(chosen), 1);
    claim[Symbol.dispose]();
  }

  #countRoom(worker: number): number {
    const held = this.held.filter((each) => each.worker === worker).length;
    return this.isOpen[worker] ? 3 - held : 0;
  }

  /** Positions of the sessions that a claim gets. Owner 1 may hold two sessions. */
  #select(worker: number, count: number): number[] {
    const room = Math.min(
      count,
      this.#countRoom(worker),
      this.limit - this.held.length,
    );
    const keyRoom = [
      Infinity,
      2 - this.held.filter(({ owner }) => owner === 1).length,
    ];
    const taken: number[] = [];
    for (const [index, owner] of this.pending.entries()) {
      if (taken.length >= room) break;
      const left = keyRoom[owner] ?? 0;
      if (left <= 0) continue;
      keyRoom[owner] = left - 1;
      taken.push(index);
    }
    return taken;
  }
}

Deno.test("in any order of events no session waits that a waiting claim could get, and attempts are few", () => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 10, maxLength: 80, size: "max" }),
      (steps) => {
        const model = new Model();
        for (const [kind, n] of steps) model.step(kind, n);
        model.rest();
        // One for each change, and one more for a change that happens during an attempt.
        assert.ok(
          model.attempts <= 2 * model.changes,
          `${model.attempts} attempts for ${model.changes} changes`,
        );
      },
    ),
    { numRuns: 2_000 },
  );
});
