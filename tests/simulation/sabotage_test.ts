import assert from "node:assert/strict";
import type { FaultName } from "./faults.ts";
import {
  leakyMachines,
  noFencing,
  noIdempotency,
  noReconciler,
  type Sabotage,
  silentChanges,
  silentIdleness,
  slowClocks,
  undeadSessions,
  wrongCapacity,
} from "./sabotage.ts";
import {
  simulate,
  SimulationFailure,
  type SimulationOptions,
} from "./simulation.ts";

/** A broken part, the faults that reveal it, and the rule that reports it. */
const CASES: readonly {
  readonly what: string;
  readonly sabotage: Sabotage;
  readonly faults: readonly FaultName[];
  readonly rule: string;
}[] = [
  {
    what: "servers without a reconciler",
    sabotage: noReconciler,
    faults: ["worker_crash"],
    rule: "Every session is terminal by its deadline",
  },
  {
    what: "machines that leak browsers",
    sabotage: leakyMachines,
    faults: ["browser_crash"],
    rule: "A worker runs no more browsers than its capacity",
  },
  {
    what: "workers that trust their leases indefinitely",
    sabotage: slowClocks,
    faults: ["worker_partition"],
    rule: "A session has at most one owner",
  },
  {
    what: "servers that ignore the sender and the fencing token of a report",
    sabotage: noFencing,
    faults: ["messages_slow", "worker_pause"],
    rule: "A report under an older fencing token is never accepted",
  },
  {
    what: "servers that do not see idempotency keys",
    sabotage: noIdempotency,
    faults: ["messages_lost"],
    rule: "An idempotency key has one session",
  },
  {
    what: "a server that takes workers for larger than they are",
    sabotage: wrongCapacity,
    faults: ["browser_crash"],
    rule: "A worker holds no more sessions than its capacity",
  },
  {
    what: "sessions that run again after their end",
    sabotage: undeadSessions,
    faults: ["browser_crash"],
    rule:
      "Every change of a session is one of the table of transitions and has its one event, in order",
  },
  {
    what: "changes without their event",
    sabotage: silentChanges,
    faults: ["worker_crash", "starts_fail"],
    rule:
      "Every change of a session is one of the table of transitions and has its one event, in order",
  },
  {
    what: "sessions that are idle without an event",
    sabotage: silentIdleness,
    faults: ["browser_crash"],
    rule:
      "A session that runs is in use or idle, and every change between the two has its one event",
  },
];

/** Runs until it must have shown: what must go wrong at the wrong moment does not do so in every run. */
const RUNS = 12;

for (const { what, sabotage, faults, rule } of CASES) {
  Deno.test(`the simulation sees ${what}`, async () => {
    for (let seed = 1; seed <= RUNS; seed++) {
      const failure = await findFailure({
        seed,
        sessions: 250,
        faults,
        sabotage,
      });
      if (failure) return assert.equal(failure.rule, rule, failure.message);
    }
    assert.fail(`not seen in ${RUNS} runs`);
  });
}

async function findFailure(
  options: SimulationOptions,
): Promise<SimulationFailure | undefined> {
  try {
    await simulate(options);
  } catch (error) {
    if (error instanceof SimulationFailure) return error;
    throw error;
  }
}
