import { and, eq } from "drizzle-orm";
import type { Database, Statement } from "../../../core/database.ts";
import type { WorkerCaller } from "../../../http/auth/worker_caller.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { workers } from "../models.ts";
import { isProven } from "./conditions.ts";

/** Records how workers are reached. Each method is one round trip. */
export class TunnelStore {
  readonly #orm: Database["orm"];

  constructor({ orm }: Database) {
    this.#orm = orm;
  }

  /**
   * Records the server that has a worker's tunnel. Returns false if the caller is not the worker's current process.
   *
   * @param url URL under which other servers reach that server.
   */
  async open(id: string, url: string, caller: WorkerCaller): Promise<boolean> {
    const { rowsAffected } = await this.#orm.update(workers)
      .set({ tunnelUrl: url }).where(isProven(id, caller));
    return rowsAffected > 0;
  }

  /** Records that a tunnel is closed, unless another server has it now. */
  async close(id: string, url: string): Promise<void> {
    await this.#orm.update(workers).set({ tunnelUrl: null }).where(
      and(eq(workers.id, id), eq(workers.tunnelUrl, url)),
    );
  }

  /**
   * Records how a worker is reached, unless it has chosen.
   *
   * @param ofSessions Statement that records the same for its sessions, run in the same batch.
   */
  async recordReach(
    id: string,
    reach: "direct" | "tunnel",
    ofSessions: Statement<unknown>,
  ): Promise<void> {
    await batchNamed(this.#orm, {
      worker: this.#orm.update(workers).set({ reached: reach }).where(
        and(eq(workers.id, id), eq(workers.reach, "auto")),
      ),
      sessions: ofSessions,
    });
  }
}
