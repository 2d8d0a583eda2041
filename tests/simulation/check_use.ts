import type { Change, Entry, News } from "./ledger.ts";
import { Violation } from "./violation.ts";

const RULE =
  "A session that runs is in use or idle, and every change between the two has its one event";

const USE_EVENTS = new Set(["session_idle", "session_active"]);

/** The events committed with each session's changes of use record exactly these changes. */
export function checkUse({ changes, events }: News): void {
  for (const { after } of changes) checkIdleness(after);
  const steps = Map.groupBy(changes.filter(isStep), ({ after }) => after.id);
  const told = Map.groupBy(
    events.filter(({ event }) => USE_EVENTS.has(event)),
    ({ session_id }) => session_id,
  );
  for (const id of new Set([...steps.keys(), ...told.keys()])) {
    const expected = (steps.get(id) ?? []).map(findUseEvent).join();
    const found = (told.get(id) ?? []).map(({ event }) => event).join();
    if (expected === found) continue;
    throw new Violation(
      RULE,
      `${id} had the events ${found || "none"}, expected ${expected || "none"}`,
    );
  }
}

function checkIdleness({ id, status, idle_since }: Entry): void {
  if (idle_since === null || status === "running") return;
  throw new Violation(RULE, `${id} is ${status}, and idle`);
}

/** A session that ends is no longer idle, which is not a use. */
function isStep({ before, after }: Change): boolean {
  return after.status === "running" && before !== undefined &&
    (before.idle_since === null) !== (after.idle_since === null);
}

function findUseEvent({ after }: Change): string {
  return after.idle_since === null ? "session_active" : "session_idle";
}
