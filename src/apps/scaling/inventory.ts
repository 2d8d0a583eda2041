import type { Clock } from "../../async/clock.ts";
import type { MachineList } from "./assess_machine.ts";
import type { MachineCalls } from "./machine_calls.ts";

/** Minimum time between two lists of machines while none starts or ends, and the time for each machine in it. */
const LIST_INTERVAL = { minMs: 10_000, machineMs: 1_000 };

/** The same while one does. An infrastructure may need a request for each machine, and limits requests. */
const BUSY_LIST_INTERVAL = { minMs: 3_000, machineMs: 300 };

/** The machines that the infrastructure has for one pool, listed periodically. */
export class Inventory {
  readonly #clock: Pick<Clock, "now" | "monotonic">;
  #list: MachineList | undefined;
  #requestedAt = -Infinity;

  constructor(clock: Pick<Clock, "now" | "monotonic">) {
    this.#clock = clock;
  }

  /** The last list; undefined before the first one, and for one from before the clock was set back. */
  get list(): MachineList | undefined {
    return (this.#list?.at ?? 0) <= this.#clock.now() ? this.#list : undefined;
  }

  /** Requests a list if one is due. @param isBusy True while machines start or end. */
  listIfDue(calls: MachineCalls, isBusy: boolean): void {
    const now = this.#clock.monotonic();
    const { minMs, machineMs } = isBusy ? BUSY_LIST_INTERVAL : LIST_INTERVAL;
    const intervalMs = Math.max(
      minMs,
      machineMs * (this.#list?.byId.size ?? 0),
    );
    if (now - this.#requestedAt < intervalMs || calls.has("list")) return;
    this.#requestedAt = now;
    calls.run("list", async (host) => {
      const at = this.#clock.now();
      const machines = await host.list();
      const byId = new Map(machines.map((each) => [each.workerId, each]));
      this.#list = { at, byId };
    });
  }
}
