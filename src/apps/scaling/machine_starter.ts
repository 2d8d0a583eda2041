import { uuidv7 } from "uuidv7";
import { createLogger } from "../../core/log.ts";
import { newKey } from "../../core/redact.ts";
import { choosePause, toReason } from "./failure.ts";
import type { LimitedHost } from "./machine_calls.ts";
import type { ScalerContext, Turn } from "./turn.ts";
import {
  expectsKey,
  type MachineStore,
  type NewMachine,
} from "./store/machines.ts";
import { openKey, sealKey } from "./store/secrets.ts";
import type { MachineRow, ScaledPool } from "./store/state.ts";

const log = createLogger("apps", "scaling");

/** A failure of a machine. */
export interface MachineFailure {
  /** Absent if none was requested. */
  readonly workerId?: string | undefined;
  readonly failure: unknown;
}

/** Starts the machines of one pool, each with a key of its own. */
export class MachineStarter {
  readonly #context: Pick<ScalerContext, "core" | "keys">;
  readonly #store: MachineStore;
  /** The failure that was logged last; undefined after a success. */
  #logged: string | undefined;

  constructor(
    context: Pick<ScalerContext, "core" | "keys">,
    store: MachineStore,
  ) {
    this.#context = context;
    this.#store = store;
  }

  /** Creates machines to request, each with a key if the server requires keys. */
  async createMachines(count: number): Promise<readonly NewMachine[]> {
    const { auth, secrets } = this.#context.core;
    const hasKeys = await auth.hasKey();
    return await Promise.all(
      Array.from({ length: count }, async () => {
        const workerId = uuidv7();
        if (!hasKeys) return { workerId, keyId: null, key: null };
        const key = await sealKey(secrets, workerId, newKey());
        return { workerId, keyId: uuidv7(), key };
      }),
    );
  }

  /** Starts a machine. A repetition, such as after a crash of a server, starts no second one. */
  async start(
    host: LimitedHost,
    { target: { machines }, leased }: Turn,
    row: MachineRow,
  ): Promise<void> {
    const { core } = this.#context;
    const { workerId } = row;
    try {
      const apiKey = await this.#provideKey(row);
      // Another server has withdrawn the machine while this one stalled.
      if (apiKey === null) return;
      await host.start({
        workerId,
        serverUrl: core.publicUrl(),
        apiKey,
        capacity: machines.capacity,
      });
    } catch (failure) {
      if (host.isStopped()) return;
      return await this.recordFailure(leased, { workerId, failure });
    }
    await this.#store.recordAccepted(workerId, core.clock.now());
    log.info("Machine of work pool {work_pool_id} starts", {
      work_pool_id: row.poolId,
      worker_id: workerId,
    });
  }

  /** Records and logs a failure, after which no machine of the pool is started for a time. */
  async recordFailure(
    { poolId, failures, name }: ScaledPool,
    { workerId, failure }: MachineFailure,
  ): Promise<void> {
    const reason = toReason(failure);
    const now = this.#context.core.clock.now();
    const pauseMs = choosePause(failure, failures);
    await this.#store.recordFailure({
      poolId,
      workerId,
      reason,
      now,
      retryAt: now + pauseMs,
    });
    if (reason === this.#logged) return;
    this.#logged = reason;
    log.warn(
      "Machine of work pool {pool} failed, the next start follows in {seconds} s: {reason}",
      {
        pool: name,
        work_pool_id: poolId,
        worker_id: workerId,
        seconds: Math.ceil(pauseMs / 1_000),
        reason,
      },
    );
  }

  /** Logs the next failure, even if it repeats the last one. */
  forgetFailure(): void {
    this.#logged = undefined;
  }

  /** Returns the key of a machine: undefined if it needs none, and null if it must not be started any more. */
  async #provideKey(row: MachineRow): Promise<string | undefined | null> {
    const { workerId, poolId, keyId, key } = row;
    if (keyId === null || key === null) return undefined;
    const opened = await openKey(this.#context.core.secrets, workerId, key);
    const isProvided = await this.#context.keys.provide({
      id: keyId,
      key: opened,
      name: `machine ${workerId}`,
      workPoolId: poolId,
    }, expectsKey({ workerId, keyId }));
    return isProvided ? opened : null;
  }
}
