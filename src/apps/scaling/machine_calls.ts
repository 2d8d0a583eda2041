import { abortable } from "../../async/abortable.ts";
import type { Clock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import { Semaphore } from "../../async/semaphore.ts";
import { settleWithin } from "../../async/settle_within.ts";
import type {
  Machine,
  MachineHost,
  MachineSpec,
} from "../../core/provider/machines.ts";

/** Maximum number of concurrent calls about machines of one pool. */
const MAX_CALLS = 8;

/** Maximum time of one call. */
const CALL_TIMEOUT_MS = 60_000;

/** Time that the calls have to end once their signal is aborted, and the connection to close. */
const END_MS = 2_000;

/** Pause after the first failure of a call; it doubles with each further one. */
const FIRST_PAUSE_MS = 2_000;

/** Maximum pause after failures of a call. */
const MAX_PAUSE_MS = 60_000;

/** The infrastructure with the time limit of one call. Its methods reject at the limit, even if their work does not end. */
export interface LimitedHost {
  start(machine: MachineSpec): Promise<void>;
  list(): Promise<readonly Machine[]>;
  remove(workerId: string): Promise<void>;
  /** Resolves with an empty text if the infrastructure has no logs. */
  logs(workerId: string, lines: number): Promise<string>;
  /** True once the server stops. */
  readonly isStopped: () => boolean;
}

/** A call of the infrastructure, and what follows from its result. */
export type MachineCall = (host: LimitedHost) => Promise<void>;

/** Options of {@linkcode MachineCalls}. */
export interface MachineCallsOptions {
  readonly clock: Pick<Clock, "sleep" | "monotonic">;
  readonly open: () => Promise<MachineHost>;
  /** Called after each call. */
  readonly onEnd: () => void;
  /** Called with the first of consecutive failures of a call, or of what it stores. */
  readonly onFailure: (error: unknown) => void;
}

/** Consecutive failures of a call. */
interface FailedCall {
  readonly failures: number;
  /** Moment of the monotonic clock before which it does not run again. */
  readonly pausedUntil: number;
}

/**
 * Calls of the infrastructure of one pool in the background: each with a time limit, a limited number at once, and one
 * at a time for each machine. A slow infrastructure delays nothing else. A call that fails may run again after 2 s, which
 * double up to a minute.
 */
export class MachineCalls implements AsyncDisposable {
  readonly #options: MachineCallsOptions;
  readonly #turns = new Semaphore(MAX_CALLS);
  readonly #stop = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  /** Failed calls by subject. */
  readonly #failed = new Map<string, FailedCall>();
  #host: Promise<MachineHost> | undefined;

  constructor(options: MachineCallsOptions) {
    this.#options = options;
  }

  /** Reports whether a call about `subject` runs or waits for its turn. */
  has(subject: string): boolean {
    return this.#running.has(subject);
  }

  /** Returns the subjects of the calls that run or wait for their turn. */
  listSubjects(): ReadonlySet<string> {
    return new Set(this.#running.keys());
  }

  /** Starts a call about a machine, unless one runs, or has failed just now. */
  run(subject: string, call: MachineCall): void {
    const { clock, onEnd } = this.#options;
    const { pausedUntil = 0 } = this.#failed.get(subject) ?? {};
    const isPaused = clock.monotonic() < pausedUntil;
    if (this.has(subject) || isPaused || this.#stop.signal.aborted) return;
    const ended = this.#run(call).then(
      () => void this.#failed.delete(subject),
      (error) => this.#pause(subject, error),
    ).then(() => {
      this.#running.delete(subject);
      onEnd();
    });
    this.#running.set(subject, ended);
  }

  /** Resolves when the calls that run now have ended. */
  async settle(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new DOMException("Scaling ended", "AbortError"));
    await settleWithin(this.settle(), END_MS);
    const host = await this.#host?.catch(() => undefined);
    if (!host) return;
    const closed = Promise.resolve(host[Symbol.asyncDispose]());
    await settleWithin(closed, END_MS);
  }

  #pause(subject: string, error: unknown): void {
    if (this.#stop.signal.aborted) return;
    const { failures = 0 } = this.#failed.get(subject) ?? {};
    if (failures === 0) this.#options.onFailure(error);
    const ms = Math.min(FIRST_PAUSE_MS * 2 ** failures, MAX_PAUSE_MS);
    this.#failed.set(subject, {
      failures: Math.min(failures + 1, 10),
      pausedUntil: this.#options.clock.monotonic() + ms,
    });
  }

  async #run(call: MachineCall): Promise<void> {
    using _turn = await this.#turns.acquire(this.#stop.signal);
    using limit = deadline(
      this.#options.clock,
      CALL_TIMEOUT_MS,
      this.#stop.signal,
    );
    await call(this.#limit(await this.#open(), limit.signal));
  }

  #limit(host: MachineHost, signal: AbortSignal): LimitedHost {
    return {
      start: (spec) => abortable(host.start(spec, signal), signal),
      list: () => abortable(host.list(signal), signal),
      remove: (id) => abortable(host.remove(id, signal), signal),
      logs: (id, lines) =>
        abortable(
          host.logs?.(id, lines, signal) ?? Promise.resolve(""),
          signal,
        ),
      isStopped: () => this.#stop.signal.aborted,
    };
  }

  /** Returns the connection, and opens it again after a failure. */
  #open(): Promise<MachineHost> {
    this.#host ??= this.#options.open().catch((error) => {
      this.#host = undefined;
      throw error;
    });
    return this.#host;
  }
}
