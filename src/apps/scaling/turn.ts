import type { Core } from "../../core/app.ts";
import type { KeyManager } from "../keys/manager.ts";
import type { WorkPoolManager } from "../workerpool/manager.ts";
import type { WorkerManager } from "../workers/manager.ts";
import type { MachineList } from "./assess_machine.ts";
import type { Target } from "./pool_target.ts";
import type { Lease } from "./store/machines.ts";
import type {
  MachineRow,
  PoolState,
  ScaledPool,
  WorkerState,
} from "./store/state.ts";

/** Dependencies of the scalers of all pools. */
export interface ScalerContext {
  readonly core: Core;
  readonly pools: WorkPoolManager;
  readonly workers: WorkerManager;
  readonly keys: KeyManager;
  /** Id of this server. */
  readonly server: string;
  readonly gridId: () => Promise<string>;
  /** Requests a pass soon. */
  readonly wake: () => void;
}

/** Everything of one pass. */
export interface Turn {
  readonly state: PoolState;
  readonly leased: ScaledPool;
  readonly lease: Lease;
  readonly target: Target;
  readonly list: MachineList | undefined;
  /** Subjects of the calls of the infrastructure that ran when the state was read. */
  readonly busy: ReadonlySet<string>;
  readonly now: number;
}

/** A machine after the verdict of the pass. */
export interface SettledMachine {
  readonly row: MachineRow;
  readonly worker: WorkerState | undefined;
}
