import { createLogger } from "../../core/log.ts";
import {
  assessMachine,
  isStuck,
  type MachineList,
  type Verdict,
} from "./assess_machine.ts";
import { isPaused, toReason } from "./failure.ts";
import { Inventory } from "./inventory.ts";
import { MachineCalls } from "./machine_calls.ts";
import { MachineRemover } from "./machine_remover.ts";
import { MachineStarter } from "./machine_starter.ts";
import { Observation } from "./observation.ts";
import { applyPlan, createPlan } from "./pool_plan.ts";
import { type Target, TargetFinder } from "./pool_target.ts";
import { MachineStore } from "./store/machines.ts";
import { forgetPool } from "./store/pools.ts";
import { beginPass, type MachineRow, type PoolState } from "./store/state.ts";
import type { ScalerContext, SettledMachine, Turn } from "./turn.ts";
import { drainWorker, ignoreRejection } from "./worker_commands.ts";

const log = createLogger("apps", "scaling");

/** Starts and removes the machines of one pool, and drains their workers. */
export class PoolScaler implements AsyncDisposable {
  readonly #poolId: string;
  readonly #context: ScalerContext;
  readonly #store: MachineStore;
  readonly #targets: TargetFinder;
  readonly #starter: MachineStarter;
  readonly #remover: MachineRemover;
  /** Of the place of the calls. */
  #inventory: Inventory;
  readonly #observation: Observation;
  /** Times since which workers are stuck, by id. */
  readonly #stuck = new Map<string, number>();
  #calls:
    | (Pick<Target, "version" | "place"> & { readonly calls: MachineCalls })
    | undefined;

  constructor(poolId: string, context: ScalerContext) {
    this.#poolId = poolId;
    this.#context = context;
    this.#store = new MachineStore(context.core.db);
    this.#targets = new TargetFinder(context.core, context.pools);
    this.#starter = new MachineStarter(context, this.#store);
    this.#remover = new MachineRemover(context, this.#store);
    this.#inventory = new Inventory(context.core.clock);
    this.#observation = new Observation(context.core.clock);
  }

  /**
   * Compares the pool with its machines and acts. Calls of the infrastructure run in the background. One round trip, and
   * more if something changes. Returns false if the pool has no machines.
   */
  async pass(): Promise<boolean> {
    const outcome = await this.#step();
    // The second step acts on machines that the first has requested or withdrawn.
    return (outcome === "decided" ? await this.#step() : outcome) !== "none";
  }

  /** Makes one step. The outcome is `decided` if another step must act, and `none` if the pool has no machines. */
  async #step(): Promise<"acted" | "decided" | "none"> {
    // The list is older than the rows: a machine that only it has is an orphan.
    const { list } = this.#inventory;
    // A call that ends after the rows were read has changed its row.
    const busy = this.#calls?.calls.listSubjects() ?? new Set<string>();
    let state = await this.#begin();
    const target = await this.#targets.find(state, busy);
    if (!target) return "none";
    if (!state.stored) state = await this.#begin();
    const { leased } = state;
    if (!leased) return "acted";
    const { clock } = this.#context.core;
    const turn: Turn = {
      state,
      leased,
      lease: {
        poolId: this.#poolId,
        server: this.#context.server,
        pass: leased.pass,
      },
      target,
      list,
      busy,
      now: clock.now(),
    };
    const settled = await this.#settle(turn);
    if (await this.#plan(turn, settled)) return "decided";
    await this.#act(turn, settled);
    return "acted";
  }

  /** Resolves when the calls of the infrastructure that run now have ended. */
  async settle(): Promise<void> {
    await this.#calls?.calls.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#calls?.calls[Symbol.asyncDispose]();
  }

  #begin(): Promise<PoolState> {
    const { core, server } = this.#context;
    return beginPass(core.db, {
      poolId: this.#poolId,
      server,
      now: core.clock.now(),
      leaseMs: core.settings.lease_seconds * 1_000,
    });
  }

  /** Stores what has become of each machine, and returns those that are left. */
  async #settle(turn: Turn): Promise<readonly SettledMachine[]> {
    const { state, list, now, target } = turn;
    const observedSince = this.#observation.observe();
    const workers = new Map(state.workers.map((each) => [each.id, each]));
    const settled: SettledMachine[] = [];
    for (const row of state.machines) {
      const worker = workers.get(row.workerId);
      const verdict = this.#judge({ row, worker }, {
        list,
        now,
        observedSince,
        isDeleted: state.pool === undefined,
        startTimeoutSeconds: target.machines.startTimeoutSeconds,
      });
      const next = await this.#apply(turn, row, verdict);
      if (next) settled.push({ row: next, worker });
    }
    const ids = new Set(settled.map(({ row }) => row.workerId));
    for (const id of this.#stuck.keys()) {
      if (!ids.has(id)) this.#stuck.delete(id);
    }
    return settled;
  }

  #judge(
    { row, worker }: SettledMachine,
    { isDeleted, now, ...known }: {
      readonly list: MachineList | undefined;
      readonly now: number;
      readonly observedSince: number;
      readonly isDeleted: boolean;
      readonly startTimeoutSeconds: number;
    },
  ): Verdict {
    if (isDeleted && row.status !== "removing") {
      const reason = "its work pool was deleted";
      return { type: "useless", reason, isOver: true };
    }
    const { workerId } = row;
    const since = this.#stuck.get(workerId) ?? now;
    if (!worker || !isStuck(worker)) this.#stuck.delete(workerId);
    else this.#stuck.set(workerId, Math.min(since, now));
    const stuckSince = this.#stuck.get(workerId);
    return assessMachine({ row, worker, stuckSince, now, ...known });
  }

  /** Stores a verdict. Returns the row that follows from it; undefined if the machine is gone. */
  async #apply(
    turn: Turn,
    row: MachineRow,
    verdict: Verdict,
  ): Promise<MachineRow | undefined> {
    const { workerId } = row;
    const { now } = turn;
    const { workers } = this.#context;
    switch (verdict.type) {
      case "kept":
        return row;
      case "registered":
        await this.#store.recordRegistered(row, now);
        this.#starter.forgetFailure();
        return { ...row, status: "running", statusAt: now };
      case "drains":
        await this.#store.recordDrain(workerId, verdict.status, now);
        return { ...row, status: verdict.status, statusAt: now };
      case "undrained":
        await drainWorker(workers, workerId);
        return row;
      case "failed": {
        const next = await this.#remove(turn, row, verdict);
        if (next.status !== "removing") return next;
        this.#remover.recordFailed(workerId);
        await this.#starter.recordFailure(turn.leased, {
          workerId,
          failure: verdict.reason,
        });
        return next;
      }
      case "useless":
        return await this.#remove(turn, row, verdict);
      case "gone":
        await this.#forget(row);
        return undefined;
      default:
        return verdict satisfies never;
    }
  }

  async #remove(
    { lease, now, state }: Turn,
    row: MachineRow,
    verdict: Extract<Verdict, { readonly reason: string }>,
  ): Promise<MachineRow> {
    const { workerId } = row;
    const reason = toReason(verdict.reason);
    const { workers } = this.#context;
    const isUnregistered = state.workers.every(({ id }) => id !== workerId);
    const isRemoved = await this.#store.remove(lease, {
      workerId,
      reason,
      now,
      // A worker that has registered in this moment may hold sessions.
      isUnregistered,
      isOver: verdict.isOver,
    });
    if (!isRemoved) return row;
    log.info("Removing a machine of work pool {work_pool_id}: {reason}", {
      work_pool_id: this.#poolId,
      worker_id: workerId,
      reason,
    });
    if (!isUnregistered) await drainWorker(workers, workerId);
    return { ...row, status: "removing", statusAt: now };
  }

  /** Deletes what is stored of a machine that is gone: its worker, its key and, last, its row. */
  async #forget({ workerId, keyId }: MachineRow): Promise<void> {
    const { keys, workers } = this.#context;
    await ignoreRejection(workers.remove(workerId));
    if (keyId !== null) await keys.withdraw(keyId);
    await this.#store.delete(workerId);
    this.#remover.forget(workerId);
  }

  /** Plans and stores decisions. Returns true if machines were requested or withdrawn. */
  async #plan(
    turn: Turn,
    settled: readonly SettledMachine[],
  ): Promise<boolean> {
    const { core, pools, workers } = this.#context;
    const isInFlight = (id: string) =>
      turn.busy.has(id) || (this.#calls?.calls.has(id) ?? false);
    const plan = createPlan(turn, settled, {
      scaleDownMs: core.settings.scale_down_seconds * 1_000,
      isInFlight,
    });
    const { pool } = turn.state;
    const problem = pool && pools.findAddressProblem(pool);
    if (plan.start > 0 && problem !== undefined) {
      await this.#starter.recordFailure(turn.leased, { failure: problem });
    }
    return await applyPlan(turn, {
      plan: problem === undefined ? plan : { ...plan, start: 0 },
      settled,
      store: this.#store,
      isInFlight,
      createMachines: (count) => this.#starter.createMachines(count),
      drain: (id) => drainWorker(workers, id),
      resume: (id) => ignoreRejection(workers.resume(id)),
    });
  }

  /** Starts the calls of the infrastructure that are due. */
  async #act(turn: Turn, settled: readonly SettledMachine[]): Promise<void> {
    const { target, leased, now } = turn;
    if (!target.isWanted && settled.length === 0 && turn.list) {
      const { db } = this.#context.core;
      const { server } = this.#context;
      const isEmpty = turn.list.byId.size === 0;
      if (isEmpty && await forgetPool(db, { poolId: this.#poolId, server })) {
        return;
      }
    }
    const calls = await this.#openCalls(target);
    for (const machine of settled) {
      const { row } = machine;
      const { workerId, status } = row;
      if (turn.busy.has(workerId)) continue;
      const canStart = target.isWanted && !isPaused(leased, now);
      if (status === "requested" && canStart) {
        calls.run(workerId, (host) => this.#starter.start(host, turn, row));
      }
      if (status === "removing") {
        this.#remover.removeIfDue(calls, turn, machine);
      }
    }
    await this.#recordOrphans(turn);
    const isBusy = settled.some(({ row, worker }) =>
      row.status !== "running" || worker?.status === "offline"
    );
    this.#inventory.listIfDue(calls, isBusy);
  }

  /** Lets the listed machines that no row knows be removed, once their workers hold no session. */
  async #recordOrphans({ lease, list, now, state }: Turn): Promise<void> {
    const known = new Set(state.machines.map(({ workerId }) => workerId));
    const orphans = new Set(list?.byId.keys()).difference(known);
    if (orphans.size === 0) return;
    for (const { drainRequestedAt, id } of state.workers) {
      if (drainRequestedAt !== null || !orphans.has(id)) continue;
      await drainWorker(this.#context.workers, id);
    }
    const ids = await this.#store.recordOrphans(lease, [...orphans], now);
    for (const id of ids) {
      log.warn(
        "Removing a machine of work pool {work_pool_id} that no record knows",
        { work_pool_id: this.#poolId, worker_id: id },
      );
    }
  }

  /** Returns the calls with the current configuration. */
  async #openCalls(target: Target): Promise<MachineCalls> {
    const { machines, place, version } = target;
    if (this.#calls?.version === version) return this.#calls.calls;
    await this.#calls?.calls[Symbol.asyncDispose]();
    const { core, gridId, wake } = this.#context;
    if (this.#calls && this.#calls.place !== place) {
      this.#inventory = new Inventory(core.clock);
    }
    const calls = new MachineCalls({
      clock: core.clock,
      open: async () =>
        await machines.open({ gridId: await gridId(), poolId: this.#poolId }),
      onEnd: wake,
      onFailure: (error) =>
        log.warn(
          "A call about machines of work pool {work_pool_id} failed: {reason}",
          {
            work_pool_id: this.#poolId,
            reason: toReason(error),
          },
        ),
    });
    this.#calls = { version, place, calls };
    return calls;
  }
}
