import assert from "node:assert/strict";
import type { FaultName } from "./faults.ts";
import {
  leakyMachines,
  noFencing,
  noIdempotency,
  noReconciler,
  type Sabotage,
  silentChanges,
  slowClocks,
  undeadSessions,
  wrongCapacity,
} from "./sabotage.ts";
import { simulate } from "./simulation.ts";

/** What is broken, under which faults it shows, and which rule says so. */
const CASES: readonly {
  readonly what: string;
  readonly sabotage: Sabotage;
  readonly faults: readonly FaultName[];
  readonly rule: string;
  /** One that shows it soon. @default {1} */
  readonly seed?: number;
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
    what: "workers that trust their leases for ever",
    sabotage: slowClocks,
    seed: 2,
    faults: ["worker_partition"],
    rule: "A session has at most one owner",
  },
  {
    what: "servers that do not look at who reports under which fencing token",
    sabotage: noFencing,
    faults: ["worker_partition"],
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
];

for (const { what, sabotage, faults, rule, seed = 1 } of CASES) {
  Deno.test(`the simulation sees ${what}`, async () => {
    const run = simulate({ seed, sessions: 400, faults, sabotage });
    await assert.rejects(run, { rule });
  });
}
