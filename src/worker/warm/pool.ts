import { isDeepStrictEqual } from "node:util";
import { aborted } from "../../async/abortable.ts";
import type { Clock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import type { ReadyBrowsers } from "../../client/client.ts";
import type { BrowserSpec } from "../../core/browser_spec.ts";
import { createLogger, toMessage } from "../../core/log.ts";
import type { RunningBrowser } from "../../core/provider.ts";
import { redactSecrets, toBrowserSpec } from "../claimed_session.ts";
import { WarmBrowser } from "./browser.ts";
import type { WarmHost } from "./host.ts";
import { planFill } from "./plan_fill.ts";
import { RevisionCheck } from "./revision_check.ts";
import { StartBackoff } from "./start_backoff.ts";

const log = createLogger("worker", "warm_pool");

/** Pause after a hand-over before the replacement starts, so that the start does not slow down the connecting client. */
const START_DELAY_MS = 200;

/** Options of a {@linkcode WarmPool}. */
export interface WarmPoolOptions {
  readonly host: WarmHost;
  readonly clock: Clock;
  readonly capacity: number;
  /** Returns the number of sessions that the worker holds. */
  readonly sessionsHeld: () => number;
  /** Returns true if the worker accepts sessions. */
  readonly isOpen: () => boolean;
  /** Reports whether the host responds. */
  readonly isHostUp: () => Promise<boolean>;
  /** Returns true if sessions are starting. Their starts have priority. */
  readonly isStarting: () => boolean;
  /** Called if the number of ready browsers may have changed. */
  readonly onChange: () => void;
}

/** Options of {@linkcode WarmPool.take}. */
export interface TakeOptions {
  /** Maximum wait for a browser that is still starting. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/** A warm browser that was handed over to a session. */
export interface TakenBrowser {
  readonly browser: RunningBrowser;
  /** False if the session had to wait for its start. */
  readonly wasReady: boolean;
}

/** The browsers to keep ready. */
interface Target {
  readonly request: ReadyBrowsers;
  readonly spec: BrowserSpec;
}

/**
 * The warm browsers of a worker, which it hands over to sessions that request exactly their properties.
 *
 * Warm browsers and held sessions together never exceed the worker's capacity.
 */
export class WarmPool implements AsyncDisposable {
  readonly #options: WarmPoolOptions;
  readonly #browsers = new Set<WarmBrowser>();
  readonly #backoff: StartBackoff;
  readonly #revisions: RevisionCheck;
  #target: Target | undefined;
  #pausedUntil = 0;
  #isClosed = false;

  constructor(options: WarmPoolOptions) {
    const { host, clock } = options;
    this.#options = options;
    this.#backoff = new StartBackoff(clock);
    this.#revisions = new RevisionCheck({
      host,
      clock,
      onChecked: () => this.reconcile(),
    });
  }

  /** Number of browsers that can be handed over immediately. */
  get readyCount(): number {
    return this.#live.filter(({ isReady }) => isReady).length;
  }

  /** Sets the browsers to keep ready; undefined for none. */
  setTarget(request: ReadyBrowsers | undefined): void {
    this.#target = request && { request, spec: toBrowserSpec(request) };
    this.reconcile();
  }

  /**
   * Hands over a browser with exactly these properties to a session. From the call on, no other session can take it.
   * Returns undefined if there is none or if its hand-over fails, after which nothing remains of it.
   *
   * @throws The reason of `signal`.
   */
  async take(
    spec: BrowserSpec,
    sessionId: string,
    { waitMs, signal }: TakeOptions,
  ): Promise<TakenBrowser | undefined> {
    const best = this.#live.filter((each) => isDeepStrictEqual(each.spec, spec))
      .sort((a, b) => this.#rank(b) - this.#rank(a)).at(0);
    if (!best) return undefined;
    this.#browsers.delete(best);
    const wasReady = best.isReady;
    const { clock } = this.#options;
    using timeout = deadline(clock, waitMs, signal);
    try {
      const browser = await best.handOver(sessionId, timeout.signal);
      this.#backoff.recordSuccess();
      this.#pausedUntil = clock.monotonic() + START_DELAY_MS;
      return { browser, wasReady };
    } catch (error) {
      signal.throwIfAborted();
      const { proxy = null, environment } = spec;
      log.warn("Warm browser hand-over failed: {reason}", {
        reason: redactSecrets(toMessage(error), { proxy, environment }),
      });
      return undefined;
    }
  }

  /**
   * Ends warm browsers until the worker has room for one more browser, and resolves when that room is free.
   *
   * @throws The reason of `signal`.
   */
  async makeRoom(signal: AbortSignal): Promise<void> {
    const { sessionsHeld, capacity } = this.#options;
    for (;;) {
      const live = this.#live;
      if (sessionsHeld() + live.length > capacity) this.#endLowestRanked();
      const isFree = sessionsHeld() + this.#browsers.size <= capacity;
      const ending = [...this.#browsers].filter(({ isEnding }) => isEnding);
      if (isFree || ending.length === 0) return;
      await Promise.race([
        ...ending.map(({ ended }) => ended),
        aborted(signal),
      ]);
      signal.throwIfAborted();
    }
  }

  /** Ends the browsers that do not match the target, starts missing ones and replaces old ones. Cheap; called often. */
  reconcile(): void {
    if (!this.#target && this.#browsers.size === 0) return;
    const { sessionsHeld, capacity, isOpen } = this.#options;
    const target = !this.#isClosed && isOpen() ? this.#target : undefined;
    const matches = (each: WarmBrowser) =>
      target !== undefined && isDeepStrictEqual(each.spec, target.spec);
    for (const each of this.#live) if (!matches(each)) each.end();
    if (!target) return;
    for (const { readyAt } of this.#live) this.#backoff.recordUptime(readyAt);
    if (this.readyCount > 0) {
      this.#revisions.runIfDue(target.spec, this.#browsers);
    }
    const room = Math.max(0, capacity - sessionsHeld());
    this.#fill(Math.min(target.request.count, room));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const each of this.#browsers) each.end();
    await Promise.all([
      this.#revisions[Symbol.asyncDispose](),
      ...[...this.#browsers].map(({ ended }) => ended),
    ]);
  }

  get #live(): readonly WarmBrowser[] {
    return [...this.#browsers].filter(({ isEnding }) => !isEnding);
  }

  get #mayStart(): boolean {
    const { isStarting, clock } = this.#options;
    return !isStarting() && this.#backoff.mayStart &&
      clock.monotonic() >= this.#pausedUntil;
  }

  /** Brings the number of live browsers to `count`. */
  #fill(count: number): void {
    const { sessionsHeld, capacity } = this.#options;
    const live = this.#live;
    const plan = planFill({
      count,
      fresh: live.filter((each) => !this.#isOld(each)),
      old: live.filter((each) => this.#isOld(each)),
      isEnding: live.length < this.#browsers.size,
      room: capacity - sessionsHeld() - this.#browsers.size,
      mayStart: this.#mayStart,
    });
    for (const each of plan.end) each.end();
    for (let started = 0; started < plan.start; started++) this.#start();
  }

  #start(): void {
    const { host, clock, isHostUp } = this.#options;
    if (!this.#target) return;
    const { spec, request } = this.#target;
    const browser = new WarmBrowser({
      host,
      clock,
      spec,
      isHostUp,
      onReady: () => this.#changed(),
      onFailure: (error) => {
        if (!this.#backoff.recordFailure()) return;
        const reason = redactSecrets(toMessage(error), request);
        log.warn("Warm browser failed, retrying: {reason}", { reason });
      },
    });
    this.#browsers.add(browser);
    void browser.ended.then(() => {
      if (this.#browsers.delete(browser)) this.#changed();
    });
  }

  #changed(): void {
    this.#options.onChange();
    this.reconcile();
  }

  #isOld(each: WarmBrowser): boolean {
    const age = this.#options.clock.monotonic() - each.readyAt;
    return this.#revisions.isOutdated(each) ||
      age > (this.#target?.request.max_age_ms ?? Infinity);
  }

  /** Returns the usefulness of a browser for a session: a ready one is better, then one that is not old. */
  #rank(each: WarmBrowser): number {
    return (each.isReady ? 2 : 0) + (this.#isOld(each) ? 0 : 1);
  }

  #endLowestRanked(): void {
    [...this.#live].sort((a, b) => this.#rank(a) - this.#rank(b)).at(0)?.end();
  }
}
