import type { SessionEvent } from "../../src/apps/sessions/manager.ts";
import { systemClock } from "../../src/async/clock.ts";
import type { TestGrid } from "./grid.ts";

/** Resolves with the session's `nth` event of this name, as soon as it has that many. */
export async function waitForEvent(
  { sessions }: Pick<TestGrid, "sessions">,
  id: string,
  { name, nth = 1 }: { readonly name: string; readonly nth?: number },
): Promise<SessionEvent> {
  for (let look = 0; look < 1_000; look++) {
    // The local database answers within one turn: sockets need the next.
    await systemClock.sleep(5);
    const events = await sessions.events(id, 0, 500);
    const found = events.filter(({ event }) => event === name)[nth - 1];
    if (found) return found;
  }
  throw new Error(`There is no event ${name}`);
}
