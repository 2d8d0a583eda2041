import type { Session } from "../../src/apps/sessions/manager.ts";
import type { SessionStatus } from "../../src/apps/sessions/status.ts";
import type { TestGrid } from "./grid.ts";

/** Longest wait; far above what is expected, so that only a fault ends it. */
const PATIENCE_MS = 15_000;

/** Resolves with the session once it is in `status`. @throws {Error} If that does not come to pass. */
export async function awaitStatus(
  { core, sessions }: TestGrid,
  id: string,
  status: SessionStatus,
  patienceMs: number = PATIENCE_MS,
): Promise<Session> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), patienceMs);
  try {
    for (;;) {
      const next = core.bus.next(({ subject }) => subject === id, stop.signal);
      const session = await sessions.get(id);
      if (session.status === status) return session;
      if (stop.signal.aborted || session.endedAt !== null) {
        throw new Error(
          `Session is ${session.status} (${session.statusReason}), not ${status}`,
        );
      }
      await next;
    }
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}
