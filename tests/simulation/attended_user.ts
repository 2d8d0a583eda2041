import { toGridError } from "../../src/core/errors.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** How often a gateway says which clients are with it. */
const PRESENCE_MS = 5_000;

/**
 * Somebody who is connected by `/v1/connect`: the session is his as long as his socket is open.
 *
 * It does what the gateway does, in the process of the server that he came to, and ends with that process.
 */
export async function attend(world: World, random: Random): Promise<void> {
  const replica = random.pick(world.replicas);
  const { process, grid } = replica;
  if (!process?.isRunning || !grid) return;
  const { sessions } = grid;
  const pool = random.pick(["open", "narrow"]);
  try {
    const { id } = await sessions.create(
      { work_pool_id: pool },
      { ephemeral: true },
    );
    let left = random.exponential(15_000);
    while (left > 0) {
      await process.clock.sleep(Math.min(PRESENCE_MS, left));
      left -= PRESENCE_MS;
      await sessions.recordPresence({ active: [id], attended: [id] })
        .catch(ignoreRefusals);
    }
    await sessions.requestStop(id, {
      status: "completed",
      reason: "its client disconnected",
    });
  } catch (error) {
    ignoreRefusals(error);
  }
}

/** The database may be away: then nobody says that he is there, and the session ends by itself. */
function ignoreRefusals(error: unknown): void {
  if (toGridError(error).code === "internal") throw error;
}
