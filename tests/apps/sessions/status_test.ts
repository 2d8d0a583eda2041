import assert from "node:assert/strict";
import fc from "fast-check";
import { SESSION_EVENTS } from "../../../src/apps/sessions/event_types.ts";
import {
  isTerminal,
  SESSION_STATUSES,
  type SessionStatus,
  STATUS_EVENTS,
  TRANSITIONS,
} from "../../../src/apps/sessions/status.ts";
import { reconcileOnce } from "../../../src/reconciler/reconciler.ts";
import { createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { testGrid } from "../../support/grid.ts";

Deno.test("six statuses are terminal, and every status has an event", () => {
  assert.deepEqual(SESSION_STATUSES.filter(isTerminal), [
    "completed",
    "failed",
    "expired",
    "crashed",
    "timed_out",
    "terminated",
  ]);
  for (const status of SESSION_STATUSES) {
    assert.ok(SESSION_EVENTS.includes(STATUS_EVENTS[status]));
  }
});

const REPORTS = [
  "starting",
  "running",
  "completed",
  "failed",
  "crashed",
  "expired",
  "timed_out",
  "terminated",
] as const;

/** Actions on a session, in any order. */
const step = fc.oneof(
  fc.record({ do: fc.constant("claim" as const) }),
  fc.record({
    do: fc.constant("report" as const),
    status: fc.constantFrom(...REPORTS),
    stale: fc.boolean(),
  }),
  fc.record({ do: fc.constant("delete" as const), force: fc.boolean() }),
  fc.record({
    do: fc.constant("wait" as const),
    seconds: fc.constantFrom(1, 20, 40, 400, 4_000),
  }),
  fc.record({ do: fc.constant("reconcile" as const) }),
);

Deno.test("any actions move a session only along the table of transitions, with one event for each change, and a terminal status is final", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 14 }),
      async (steps) => {
        const clock = createFakeClock();
        await using grid = await testGrid({ clock });
        const api = createApiClient(grid);
        await api.pool();
        const workerId = await api.worker();
        const { id } = await api.session({ idle_timeout_seconds: 600 });
        let token = 0;
        const seen: SessionStatus[] = ["pending"];
        for (const each of steps) {
          if (each.do === "claim") {
            token = (await api.claim(workerId))?.fencing_token ?? token;
          } else if (each.do === "report") {
            const fencing_token = each.stale ? token + 1 : token;
            if (fencing_token < 1) continue;
            const before = (await grid.sessions.get(id)).status;
            const result = await api.report(
              workerId,
              { id, fencing_token },
              each.status,
            );
            const after = (await grid.sessions.get(id)).status;
            if (each.stale) {
              assert.equal(result, "lease_lost");
              assert.equal(after, before);
            }
          } else if (each.do === "delete") {
            await api.call("DELETE", `/sessions/${id}?force=${each.force}`);
          } else if (each.do === "wait") {
            clock.advance(each.seconds * 1_000);
          } else {
            await reconcileOnce(grid);
            await reconcileOnce(grid);
          }
          const now = (await grid.sessions.get(id)).status;
          if (now !== seen.at(-1)) seen.push(now);
        }
        for (const [at, to] of seen.entries()) {
          const from = seen[at - 1];
          if (from === undefined) continue;
          const isAllowed = TRANSITIONS[from].includes(to) ||
            // One pass may change the status twice: pending, then failed.
            TRANSITIONS[from].some((via) => TRANSITIONS[via].includes(to));
          assert.ok(isAllowed && !isTerminal(from), seen.join(" → "));
        }
        await assertOneEventAChange(grid, id);
      },
    ),
    { numRuns: 60 },
  );
});

/** Asserts that the events form a path through the table of transitions that ends in the current status. */
async function assertOneEventAChange(
  { sessions }: Awaited<ReturnType<typeof testGrid>>,
  id: string,
): Promise<void> {
  const events = await sessions.events(id, 0, 1_000);
  const statuses = events.flatMap(({ event }) =>
    SESSION_STATUSES.filter((status) => STATUS_EVENTS[status] === event)
  );
  let status: SessionStatus = "pending";
  for (const next of statuses) {
    assert.ok(TRANSITIONS[status].includes(next), `${status} → ${next}`);
    status = next;
  }
  assert.equal(status, (await sessions.get(id)).status);
}
