import { STATUS_EVENTS, TRANSITIONS } from "../../src/apps/sessions/status.ts";
import type { Change, EventRow, News } from "./ledger.ts";
import { Violation } from "./violation.ts";

const RULE =
  "Every change of a session is one of the table of transitions and has its one event, in order";

const CHANGE_EVENTS = new Set<string>([
  "session_created",
  ...Object.values(STATUS_EVENTS),
]);

/** Each session's status changes are legal, and the events committed with them record exactly these changes. */
export function checkTransitions({ changes, events }: News): void {
  const steps = Map.groupBy(
    changes.filter(isStep),
    ({ after }) => after.id,
  );
  const told = Map.groupBy(
    events.filter(({ event }) => CHANGE_EVENTS.has(event)),
    (event) => event.session_id,
  );
  for (const each of changes) checkStep(each);
  for (const id of new Set([...steps.keys(), ...told.keys()])) {
    checkEvents(id, steps.get(id) ?? [], told.get(id) ?? []);
  }
}

function isStep({ kind, before, after }: Change): boolean {
  return kind === "insert" ||
    kind === "update" && before?.status !== after.status;
}

function checkStep({ kind, before, after }: Change): void {
  if (kind === "delete") {
    throw new Violation(
      "No accepted session is lost",
      `${after.id} was deleted`,
    );
  }
  const from = before?.status;
  if (from === undefined || from === after.status) return;
  if (TRANSITIONS[from].includes(after.status)) return;
  throw new Violation(RULE, `${after.id} went from ${from} to ${after.status}`);
}

function checkEvents(
  id: string,
  steps: readonly Change[],
  told: readonly EventRow[],
): void {
  const expected = steps.map(({ kind, after }) =>
    kind === "insert" ? "session_created" : STATUS_EVENTS[after.status]
  );
  const found = told.map(({ event }) => event);
  if (expected.join() === found.join()) return;
  throw new Violation(
    RULE,
    `${id} had the events ${found.join(", ") || "none"}, expected ${
      expected.join(", ") || "none"
    }`,
  );
}
