import type { SessionManager } from "../../src/apps/sessions/manager.ts";
import { toGridError } from "../../src/core/errors.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** Interval at which a gateway reports its connected clients. */
const PRESENCE_MS = 5_000;

/** Value of `keep_alive` for sessions that use it. */
const KEPT_SECONDS = 10;

/** Share of the times that he looks up at which who is kept a session comes or goes. */
const TURNS = 0.3;

/** Of a grid, what a gateway uses. */
type Sessions = Pick<SessionManager, "get" | "activity">;

/**
 * Somebody who is connected by `/v1/connect`: the session is his as long as his socket is open. In one of the pools he
 * has it kept, and comes and goes.
 *
 * It does what the gateway does, in the process of the server that he came to, and ends with that process.
 */
export async function attend(world: World, random: Random): Promise<void> {
  const replica = random.pick(world.replicas);
  const { process, grid } = replica;
  if (!process?.isRunning || !grid) return;
  const { sessions } = grid;
  const pool = random.pick(["open", "narrow"]);
  const isKept = pool === "narrow";
  try {
    const { id } = await sessions.create({ work_pool_id: pool }, {
      ephemeral: true,
      keepAliveSeconds: isKept ? KEPT_SECONDS : undefined,
    });
    const visit = isKept ? comeAndGo : stay;
    const look = visit(sessions, id, random);
    let left = random.exponential(15_000);
    while (left > 0) {
      await process.clock.sleep(Math.min(PRESENCE_MS, left));
      left -= PRESENCE_MS;
      await look().catch(ignoreRefusals);
    }
    // Who has it kept just does not come back.
    if (isKept) return;
    await sessions.requestStop(id, {
      status: "completed",
      reason: "its client disconnected",
      kill: true,
    });
  } catch (error) {
    ignoreRefusals(error);
  }
}

function stay(sessions: Sessions, id: string): () => Promise<void> {
  return () =>
    sessions.activity.recordActivity({ active: [id], clientsSeen: [id] });
}

function comeAndGo(
  sessions: Sessions,
  id: string,
  random: Random,
): () => Promise<void> {
  let isThere = false;
  return async () => {
    const { status } = await sessions.get(id);
    const isWaiting = status === "pending" || status === "starting";
    if (isWaiting) {
      return await sessions.activity.recordActivity({
        active: [],
        clientsSeen: [id],
      });
    }
    if (random.chance(TURNS)) {
      isThere = !isThere;
      return isThere
        ? await sessions.activity.recordConnected(id)
        : await sessions.activity.recordDisconnected(id, {});
    }
    if (isThere) {
      await sessions.activity.recordActivity({
        active: [id],
        clientsSeen: [id],
      });
    }
  };
}

/** During a database outage no client is reported, and the session ends at its idle timeout. */
function ignoreRefusals(error: unknown): void {
  if (toGridError(error).code === "internal") throw error;
}
