/**
 * Contract of the machines on which the workers of a pool run, if the provider starts a worker with several sessions
 * instead of a browser for each session. The server starts and removes machines; their workers register like any other.
 * The check of the provider's `BrowserHost` covers them.
 *
 * @module
 */

/** Declares that the workers of a pool run on machines that the server starts. */
export interface Machines {
  /** Capacity of the worker of each machine. */
  readonly capacity: number;
  /**
   * Text that names where the machines are, such as account and group, or cluster and namespace, without secrets. At
   * another place, lists and removals do not find the machines that were started here.
   */
  readonly place: string;
  /** Time from the start of a machine within which its worker must register, in seconds. */
  readonly startTimeoutSeconds: number;
  /** True if the machines run on the server's host and reach its loopback addresses. @default {false} */
  readonly isOnServerHost?: boolean | undefined;
  /**
   * Provider with which these workers start browsers, and its configuration. They receive it instead of the pool's
   * configuration, which has the credentials of the infrastructure.
   */
  readonly browsers: {
    readonly provider: string;
    readonly config: Readonly<Record<string, unknown>>;
  };
  /** Connects to the infrastructure. Must be fast and must not fail; the methods of the host do the rest. */
  open(info: MachineHostInfo): Promise<MachineHost>;
}

/** Grid and pool of machines, which distinguish them from those of others. */
export interface MachineHostInfo {
  readonly gridId: string;
  readonly poolId: string;
}

/** The machine of one worker to start. */
export interface MachineSpec {
  /** Id with which the worker registers. Names and labels of the machine derive from it. */
  readonly workerId: string;
  /** URL of the server for the worker. */
  readonly serverUrl: string;
  /** Key of role `worker` for the pool. Secret. Absent on a server without authentication. */
  readonly apiKey?: string | undefined;
  readonly capacity: number;
}

/** A machine that the infrastructure has. */
export interface Machine {
  readonly workerId: string;
  /** `ended`: it will not run again, and only its record is left. */
  readonly status: "starting" | "running" | "ended";
  /** Reason of its wait or end, in the words of the infrastructure: "image pull failed: ...". */
  readonly detail?: string | undefined;
}

/** A connection to the infrastructure that runs machines. */
export interface MachineHost extends AsyncDisposable {
  /**
   * Requests a machine. Resolves once the infrastructure has accepted the request, before its worker registers. A
   * repetition with the same worker id, as after a lost response, starts no second machine.
   *
   * @throws {MachineStartError} If the infrastructure rejects it for a time.
   */
  start(machine: MachineSpec, signal: AbortSignal): Promise<void>;
  /** Lists the machines of the grid and pool. A new machine may be missing for some seconds. */
  list(signal: AbortSignal): Promise<readonly Machine[]>;
  /** Removes a machine and everything that belongs to it. Idempotent. Resolves once the infrastructure has accepted it. */
  remove(workerId: string, signal: AbortSignal): Promise<void>;
  /** Returns the last lines of the output of a machine's worker. */
  logs?(workerId: string, lines: number, signal: AbortSignal): Promise<string>;
}

/** The error of a start that the infrastructure rejects for a time, such as for a rate limit or a quota. */
export class MachineStartError extends Error {
  override readonly name = "MachineStartError";

  /** Pause before the next start in the pool, in milliseconds. Absent: the caller's choice. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, retryAfterMs?: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}
