import { isDeepStrictEqual } from "node:util";
import type { ReadyBrowsers } from "../../client/client.ts";
import { aborted } from "../../async/abortable.ts";
import type { BrowserSpec } from "../../core/browser_spec.ts";
import { type Clock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import { createLogger, toMessage } from "../../core/log.ts";
import type { RunningBrowser } from "../../core/provider.ts";
import { redactSecrets, toBrowserSpec } from "../claimed_session.ts";
import { WarmBrowser } from "./browser.ts";
import type { WarmHost } from "./host.ts";
import { StartBackoff } from "./start_backoff.ts";

const log = createLogger("worker", "warm_browsers");

/** Starts at once: sessions that come meanwhile are not to wait for many. */
const MAX_STARTING = 2;

/** Pause after a hand-over before another is started in its place: the start would slow down who connects just now. */
const START_DELAY_MS = 200;

/** Time between two questions whether a start would run another browser, and the longest wait for the answer. */
const REVISION_MS = 60_000;
const REVISION_TIMEOUT_MS = 10_000;

/** What the browsers of a worker are kept ready with. */
export interface WarmPoolOptions {
  readonly host: WarmHost;
  readonly clock: Clock;
  readonly capacity: number;
  /** How many sessions the worker holds: each has a place of its own. */
  readonly sessionsHeld: () => number;
  /** Whether any browser is to be kept ready now. */
  readonly isOpen: () => boolean;
  /** Reports whether the host responds. */
  readonly isHostUp: () => Promise<boolean>;
  /** Whether sessions are starting, which go first. */
  readonly isStarting: () => boolean;
  /** Told when another number of them is ready. */
  readonly onChange: () => void;
}

/** How a session waits for a browser that still starts. */
export interface TakeOptions {
  /** Longest time; the start itself may be given up sooner. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/** A browser for a session. */
export interface TakenBrowser {
  readonly browser: RunningBrowser;
  /** Whether it ran already when it was asked for. */
  readonly wasReady: boolean;
}

/** What the server wants to be kept ready. */
interface Target {
  readonly wanted: ReadyBrowsers;
  readonly spec: BrowserSpec;
}

/**
 * The browsers that a worker keeps started and unused, and hands over to the sessions that ask for such.
 *
 * Together with the sessions that are held they are never more than the worker's capacity.
 */
export class WarmPool implements AsyncDisposable {
  readonly #options: WarmPoolOptions;
  readonly #browsers = new Set<WarmBrowser>();
  readonly #outdated = new WeakSet<WarmBrowser>();
  readonly #closed = new AbortController();
  readonly #backoff: StartBackoff;
  #target: Target | undefined;
  #revisionCheck: Promise<void> = Promise.resolve();
  #nextRevisionCheckAt = 0;
  #pausedUntil = 0;

  constructor(options: WarmPoolOptions) {
    this.#options = options;
    this.#backoff = new StartBackoff(options.clock);
  }

  /** How many could be handed over now. */
  get readyCount(): number {
    return this.#live.filter(({ isReady }) => isReady).length;
  }

  /** Keeps these ready from now on; undefined: none. */
  setTarget(wanted: ReadyBrowsers | undefined): void {
    this.#target = wanted && { wanted, spec: toBrowserSpec(wanted) };
    this.reconcile();
  }

  /**
   * Gives a session a browser that is just as it asks for; from this moment on it is that session's alone. Undefined:
   * there is none, or it could not be given; nothing is left of it then.
   *
   * @throws The reason of `signal`.
   */
  async take(
    spec: BrowserSpec,
    sessionId: string,
    { waitMs, signal }: TakeOptions,
  ): Promise<TakenBrowser | undefined> {
    const best = this.#live.filter((each) => isDeepStrictEqual(each.spec, spec))
      .sort((a, b) => this.#preference(b) - this.#preference(a)).at(0);
    if (!best) return undefined;
    this.#browsers.delete(best);
    const wasReady = best.isReady;
    const { clock } = this.#options;
    using patience = deadline(clock, waitMs, signal);
    try {
      const browser = await best.handOver(sessionId, patience.signal);
      this.#backoff.recordSuccess();
      this.#pausedUntil = clock.monotonic() + START_DELAY_MS;
      return { browser, wasReady };
    } catch (error) {
      signal.throwIfAborted();
      const { proxy = null, environment } = spec;
      log.warn("A browser that was kept ready was of no use: {reason}", {
        reason: redactSecrets(toMessage(error), { proxy, environment }),
      });
      return undefined;
    }
  }

  /** Ends one, if there is no place for a session besides them, and resolves when the place is free. @throws The reason of `signal`. */
  async makeRoom(signal: AbortSignal): Promise<void> {
    const { sessionsHeld, capacity } = this.#options;
    for (;;) {
      const live = this.#live;
      if (sessionsHeld() + live.length > capacity) {
        this.#leastPreferred(live)?.end();
      }
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

  /** Ends what is not wanted, starts what is missing, replaces what is old. Cheap; to be called often. */
  reconcile(): void {
    if (!this.#target && this.#browsers.size === 0) return;
    const order = this.#isOpen ? this.#target : undefined;
    const fits = (each: WarmBrowser) =>
      order !== undefined && isDeepStrictEqual(each.spec, order.spec);
    for (const each of this.#live) if (!fits(each)) each.end();
    if (!order) return;
    for (const { readyAt } of this.#live) this.#backoff.recordUptime(readyAt);
    this.#checkRevision(order);
    const { sessionsHeld, capacity } = this.#options;
    const room = Math.max(0, capacity - sessionsHeld());
    this.#fill(Math.min(order.wanted.count, room));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    for (const each of this.#browsers) each.end();
    await Promise.all([...this.#browsers].map(({ ended }) => ended));
    await this.#revisionCheck;
  }

  get #isOpen(): boolean {
    return !this.#closed.signal.aborted && this.#options.isOpen();
  }

  get #mayStart(): boolean {
    const { isStarting, clock } = this.#options;
    return !isStarting() && this.#backoff.mayStart &&
      clock.monotonic() >= this.#pausedUntil;
  }

  get #live(): readonly WarmBrowser[] {
    return [...this.#browsers].filter(({ isEnding }) => !isEnding);
  }

  /** Brings the number of live ones to `target`. An old one stands in for each that still starts. */
  #fill(target: number): void {
    const old = this.#live.filter((each) => this.#isOld(each));
    const fresh = this.#live.filter((each) => !this.#isOld(each));
    const ready = fresh.filter(({ isReady }) => isReady);
    endBrowsers(fresh.slice(target));
    endBrowsers(old.slice(Math.max(0, target - ready.length)));
    let missing = target - fresh.length;
    if (missing <= 0 || !this.#mayStart) return;
    const { sessionsHeld, capacity } = this.#options;
    let starting = fresh.length - ready.length;
    while (missing > 0 && starting < MAX_STARTING) {
      if (sessionsHeld() + this.#browsers.size >= capacity) {
        // There is no place besides the old ones: one at a time makes way.
        if (this.#live.length === this.#browsers.size) {
          endBrowsers(old.slice(0, 1));
        }
        return;
      }
      this.#start();
      missing--;
      starting++;
    }
  }

  #start(): void {
    const { host, clock, isHostUp } = this.#options;
    if (!this.#target) return;
    const { spec, wanted } = this.#target;
    const browser = new WarmBrowser({
      host,
      clock,
      spec,
      isHostUp,
      onReady: () => this.#changed(),
      onFailure: (why) => {
        if (!this.#backoff.recordFailure()) return;
        const reason = redactSecrets(toMessage(why), wanted);
        log.warn("Cannot keep a browser ready, tries go on: {reason}", {
          reason,
        });
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
    return this.#outdated.has(each) ||
      age > (this.#target?.wanted.max_age_ms ?? Infinity);
  }

  /** The better for a session the higher: ready, and not old. */
  #preference(each: WarmBrowser): number {
    return (each.isReady ? 2 : 0) + (this.#isOld(each) ? 0 : 1);
  }

  #leastPreferred(live: readonly WarmBrowser[]): WarmBrowser | undefined {
    return [...live].sort((a, b) => this.#preference(a) - this.#preference(b))
      .at(
        0,
      );
  }

  #checkRevision({ spec }: Target): void {
    const { host, clock } = this.#options;
    const now = clock.monotonic();
    if (
      !host.revision || now < this.#nextRevisionCheckAt || this.readyCount === 0
    ) return;
    this.#nextRevisionCheckAt = now + REVISION_MS * (1 + Math.random() / 10);
    this.#revisionCheck = this.#markOutdated(spec).catch((error) =>
      log.debug("Cannot ask which browser would be started: {error}", { error })
    );
  }

  async #markOutdated(spec: BrowserSpec): Promise<void> {
    const { host, clock } = this.#options;
    using patience = deadline(clock, REVISION_TIMEOUT_MS, this.#closed.signal);
    const revision = await host.revision?.(spec, patience.signal);
    for (const each of this.#browsers) {
      const isOther = each.revision !== undefined && each.revision !== revision;
      if (isOther && isDeepStrictEqual(each.spec, spec)) {
        this.#outdated.add(each);
      }
    }
    this.reconcile();
  }
}

function endBrowsers(browsers: readonly WarmBrowser[]): void {
  for (const each of browsers) each.end();
}
