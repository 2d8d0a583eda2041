import assert from "node:assert/strict";
import { systemClock } from "../../src/async/clock.ts";
import { every } from "../../src/async/every.ts";
import { type ChaosGrid, LEASE_SECONDS } from "../support/chaos_grid.ts";
import { overfull } from "../support/settle.ts";

/** Pause between two checks. */
const LOOK_MS = 250;

/**
 * Watches, until disposed, that no two workers run a browser for the same session for longer than a lease, and that no
 * worker holds more sessions than its capacity.
 */
export interface OwnershipWatch extends AsyncDisposable {
  /** @throws {AssertionError} With what was seen that must not be. */
  assertKept(): void;
}

/** Begins to watch. */
export function watchOwnership(grid: ChaosGrid): OwnershipWatch {
  const since = new Map<string, number>();
  const faults = new Set<string>();
  const loop = every(async () => {
    const now = systemClock.monotonic();
    const twice = await withTwoOwners(grid);
    for (const id of since.keys()) if (!twice.has(id)) since.delete(id);
    for (const id of twice) {
      const first = since.get(id) ?? now;
      since.set(id, first);
      const isLong = now - first > LEASE_SECONDS * 1_000;
      if (isLong) faults.add(`session ${id} has two browsers`);
    }
    // Last: while a server is down there is no answer.
    for (const fault of await overfull(grid)) faults.add(fault);
  }, { clock: systemClock, periodMs: LOOK_MS });
  return {
    assertKept: () => assert.deepEqual([...faults], []),
    [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose](),
  };
}

async function withTwoOwners(grid: ChaosGrid): Promise<ReadonlySet<string>> {
  const owners = new Map<string, Set<string>>();
  for (const { sessionId, workerId } of await grid.browsers()) {
    if (!sessionId || !workerId) continue;
    owners.set(sessionId, (owners.get(sessionId) ?? new Set()).add(workerId));
  }
  return new Set(
    [...owners].filter(([, workers]) => workers.size > 1).map(([id]) => id),
  );
}
