import { uuidv7 } from "uuidv7";
import { z } from "zod";
import type { Core } from "../../core/app.ts";
import {
  type QueueChange,
  readQueues,
  storeQueues,
  type WatchedQueue,
} from "./store/long_queues.ts";

const poolsSchema = z.array(z.string());

/** Finds work pools whose queue is longer than a webhook allows. */
export class QueueMonitor {
  readonly #core: Pick<Core, "bus" | "clock" | "db">;

  constructor(core: Pick<Core, "bus" | "clock" | "db">) {
    this.#core = core;
  }

  /** Inserts a delivery for each queue that has become long. Returns their number. One round trip, and one for changes. */
  async check(): Promise<number> {
    const { bus, clock, db } = this.#core;
    const now = clock.now();
    const changes = findChanges(await readQueues(db, now));
    if (changes.length === 0) return 0;
    const count = await storeQueues(db, changes, now);
    if (count > 0) bus.publish({ type: "queues_long", subject: "" });
    return count;
  }
}

function findChanges(
  queues: readonly WatchedQueue[],
): readonly QueueChange[] {
  const byWebhook = Map.groupBy(queues, ({ webhookId }) => webhookId);
  return [...byWebhook].flatMap(([webhookId, ofWebhook]) => {
    const longQueues = ofWebhook[0]?.longQueues ?? "[]";
    const known = new Set(poolsSchema.parse(JSON.parse(longQueues)));
    const long = ofWebhook.filter(({ isLong }) => isLong);
    const added = long.filter(({ poolId }) => !known.has(poolId));
    if (added.length === 0 && long.length === known.size) return [];
    return [{
      webhookId,
      before: longQueues,
      after: JSON.stringify(long.map(({ poolId }) => poolId)),
      added: added.map(({ poolId, waiting }) => ({
        id: uuidv7(),
        poolId,
        waiting,
      })),
    }];
  });
}
