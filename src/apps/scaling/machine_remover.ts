import { createLogger } from "../../core/log.ts";
import type { MachineCalls } from "./machine_calls.ts";
import type { MachineStore } from "./store/machines.ts";
import type { ScalerContext, SettledMachine, Turn } from "./turn.ts";

const log = createLogger("apps", "scaling");

/** Number of last lines of a failed worker's output that are logged. */
const LOG_LINES = 20;

/** Time after which a removal of a machine that is still listed is repeated. */
const REMOVE_AGAIN_MS = 60_000;

/** Removes the machines of one pool that are decided to be removed. */
export class MachineRemover {
  readonly #context: Pick<ScalerContext, "core" | "keys">;
  readonly #store: MachineStore;
  /** Machines whose last output is logged before their removal. */
  readonly #failed = new Set<string>();

  constructor(
    context: Pick<ScalerContext, "core" | "keys">,
    store: MachineStore,
  ) {
    this.#context = context;
    this.#store = store;
  }

  /** Logs the last output of a machine before its removal. */
  recordFailed(workerId: string): void {
    this.#failed.add(workerId);
  }

  /** Ends what is remembered of a machine. */
  forget(workerId: string): void {
    this.#failed.delete(workerId);
  }

  /** Starts a removal, unless it was accepted just now. A machine whose worker holds sessions is kept. */
  removeIfDue(
    calls: MachineCalls,
    { list, now }: Pick<Turn, "list" | "now">,
    machine: SettledMachine,
  ): void {
    const { row: { removedAt, workerId }, worker } = machine;
    const listed = list?.byId.get(workerId);
    const isDue = removedAt === null ||
      // A removal in the future is from before the clock was set back.
      listed !== undefined && Math.abs(now - removedAt) > REMOVE_AGAIN_MS;
    const isFree = (worker?.held ?? 0) === 0 || listed?.status === "ended";
    if (isDue && isFree) this.#remove(calls, machine);
  }

  #remove(calls: MachineCalls, { row, worker }: SettledMachine): void {
    const { core: { clock }, keys } = this.#context;
    const { workerId, keyId } = row;
    calls.run(workerId, async (host) => {
      // A worker that has not registered must not do so until its machine is gone.
      if (!worker && keyId !== null) await keys.withdraw(keyId);
      if (this.#failed.has(workerId)) {
        const output = await host.logs(workerId, LOG_LINES).catch(() => "");
        if (output !== "") {
          log.warn("Last output of worker {worker_id}: {output}", {
            worker_id: workerId,
            output,
          });
        }
      }
      await host.remove(workerId);
      await this.#store.recordRemoved(workerId, clock.now());
    });
  }
}
