import type {
  HandoverManager,
  LeasedCondition,
} from "../../apps/handover/manager.ts";
import type { SessionManager } from "../../apps/sessions/manager.ts";
import { deadline } from "../../async/deadline.ts";
import type { Core } from "../../core/app.ts";
import { createLogger, describeError } from "../../core/log.ts";
import { browserUnreachable, type Dialer, type DialerFor } from "../dialer.ts";
import { verifyBrowser } from "../verify_browser.ts";
import { checkCondition } from "./check_condition.ts";

const log = createLogger("gateway", "handover");

/** Time between two checks of a condition. */
const PERIOD_MS = 1_000;

/** Time after which another server takes over the conditions of one that no longer renews its leases. */
const LEASE_MS = 10_000;

/** Longest check of one condition. */
const CHECK_MS = 4_000;

/** Time after which no further check of a round begins, so that the leases are renewed. */
const ROUND_MS = 5_000;

/** Maximum number of concurrent checks. */
const CONCURRENCY = 8;

/** Dependencies of a {@linkcode ConditionChecker}. */
export interface CheckerContext {
  readonly core: Pick<Core, "clock" | "stopping">;
  readonly handovers: Pick<
    HandoverManager,
    | "leaseConditions"
    | "meetCondition"
    | "recordConditionError"
    | "releaseConditions"
  >;
  readonly sessions: Pick<SessionManager, "target">;
  readonly dialerFor: DialerFor;
}

/**
 * Checks the conditions of open hand-overs about once a second, as long as there are any that no other server checks. Its
 * connections to browsers do not count as clients, and are no activity of sessions.
 */
export class ConditionChecker implements AsyncDisposable {
  readonly #context: CheckerContext;
  readonly #server = crypto.randomUUID();
  readonly #stop = new AbortController();
  /** Dialers by session, until a check fails. */
  readonly #dialers = new Map<string, Dialer>();
  /** Times of the last checks by request, on the monotonic clock. */
  readonly #checkedAt = new Map<string, number>();
  #running: Promise<void> | undefined;
  #isWanted = false;

  constructor(context: CheckerContext) {
    this.#context = context;
  }

  /** Takes conditions that no server checks, and checks them until none is open. */
  start(): void {
    this.#isWanted = true;
    if (this.#stop.signal.aborted) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#isWanted) this.start();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isWanted = false;
    this.#stop.abort(new DOMException("The server is stopping", "AbortError"));
    await this.#running;
    try {
      await this.#context.handovers.releaseConditions(this.#server);
    } catch (error) {
      log.debug("Conditions were not released: {error}", {
        error: describeError(error),
      });
    }
  }

  async #run(): Promise<void> {
    const { core: { clock, stopping }, handovers } = this.#context;
    const signal = AbortSignal.any([this.#stop.signal, stopping]);
    let hasFailed = false;
    while (!signal.aborted) {
      try {
        this.#isWanted = false;
        const leased = await handovers.leaseConditions(this.#server, LEASE_MS);
        this.#forgetOthers(leased);
        if (leased.length === 0 && !this.#isWanted) return;
        await this.#checkAll(leased, signal);
        hasFailed = false;
      } catch (error) {
        if (!hasFailed && !signal.aborted) {
          log.warn("Conditions of hand-overs cannot be read: {error}", {
            error: describeError(error),
          });
        }
        hasFailed = true;
      }
      await clock.sleep(PERIOD_MS, signal).catch(() => {});
    }
    this.#isWanted = false;
  }

  #forgetOthers(leased: readonly LeasedCondition[]): void {
    const ids = new Set(leased.map(({ id }) => id));
    const sessions = new Set(leased.map(({ sessionId }) => sessionId));
    for (const id of this.#checkedAt.keys()) {
      if (!ids.has(id)) this.#checkedAt.delete(id);
    }
    for (const id of this.#dialers.keys()) {
      if (!sessions.has(id)) this.#dialers.delete(id);
    }
  }

  /** Checks the conditions, the one that waits longest first. Those that do not fit in the round are first in the next. */
  async #checkAll(
    leased: readonly LeasedCondition[],
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#context.core;
    const endAt = clock.monotonic() + ROUND_MS;
    const find = ({ id }: LeasedCondition) =>
      this.#checkedAt.get(id) ?? -Infinity;
    const queue = leased.toSorted((a, b) => find(a) < find(b) ? -1 : 1);
    const work = async () => {
      while (!signal.aborted && clock.monotonic() < endAt) {
        const next = queue.shift();
        if (!next) return;
        this.#checkedAt.set(next.id, clock.monotonic());
        await this.#check(next, signal);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
  }

  async #check(condition: LeasedCondition, signal: AbortSignal): Promise<void> {
    const { core: { clock }, handovers } = this.#context;
    const { id, sessionId } = condition;
    using timeout = deadline(clock, CHECK_MS, signal);
    try {
      const dialer = this.#dialers.get(sessionId) ??
        await this.#findDialer(sessionId);
      if (!dialer) return;
      this.#dialers.set(sessionId, dialer);
      const options = { clock, signal: timeout.signal };
      await requireBrowser(dialer, options.signal);
      const { isMet, error } = await checkCondition(dialer, condition, options);
      if (isMet) await handovers.meetCondition(condition);
      else if (error !== condition.error) {
        await handovers.recordConditionError(id, error);
      }
    } catch (error) {
      this.#dialers.delete(sessionId);
      if (signal.aborted) return;
      log.debug("Condition of a hand-over cannot be checked: {error}", {
        session_id: sessionId,
        error: describeError(error),
      });
    }
  }

  /** Returns the dialer of a session's browser; undefined if it does not run. */
  async #findDialer(sessionId: string): Promise<Dialer | undefined> {
    const { sessions, dialerFor } = this.#context;
    const target = await sessions.target(sessionId);
    const { status, endpoint } = target;
    if (status !== "running" || endpoint === null) return undefined;
    return await dialerFor({ ...target, url: new URL(endpoint) });
  }
}

/** Rejects unless the session's own browser responds: the address may belong to another one by now. */
async function requireBrowser(
  dialer: Dialer,
  signal: AbortSignal,
): Promise<void> {
  const options = { timeoutMs: CHECK_MS, signal };
  if (await verifyBrowser(dialer, options)) return;
  throw browserUnreachable(new Error("no response of the session's browser"));
}
