import type { Clock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import type { BrowserSpec } from "../../core/browser_spec.ts";
import { createLogger } from "../../core/log.ts";
import type { RunningBrowser } from "../../core/provider.ts";
import { waitForEnd } from "../liveness.ts";
import type { WarmHost } from "./host.ts";

const log = createLogger("worker", "warm_browser");

/** Timeout of a start, without its preparation. */
const START_MS = 60_000;

/** Options of a {@linkcode WarmBrowser}. */
export interface WarmBrowserOptions {
  readonly host: WarmHost;
  readonly clock: Clock;
  readonly spec: BrowserSpec;
  /** Reports whether the host responds. */
  readonly isHostUp: () => Promise<boolean>;
  /** Called when the browser is ready, unless a session has taken it. */
  readonly onReady: () => void;
  /** Called with the error of a failed start or the cause of a crash, unless {@linkcode WarmBrowser.end} was called. */
  readonly onFailure: (error: unknown) => void;
}

/** One browser from its start, for no session yet, to its end or its hand-over to a session. */
export class WarmBrowser {
  readonly spec: BrowserSpec;
  /** Resolves when nothing of the browser remains or a session has taken it. Never rejects. */
  readonly ended: Promise<void>;
  readonly #options: WarmBrowserOptions;
  readonly #stop = new AbortController();
  readonly #started: Promise<RunningBrowser>;
  /** Aborted when a session takes the browser and watches it from then on. */
  readonly #taken = new AbortController();
  #readyAt = Infinity;
  #revision: string | undefined;

  constructor(options: WarmBrowserOptions) {
    this.spec = options.spec;
    this.#options = options;
    this.#started = this.#start();
    this.ended = this.#watch();
  }

  /** True once its end was requested. */
  get isEnding(): boolean {
    return this.#stop.signal.aborted;
  }

  /** True once the browser runs. */
  get isReady(): boolean {
    return this.#readyAt < Infinity;
  }

  /** Moment of the monotonic clock at which the browser became ready; Infinity while it is starting. */
  get readyAt(): number {
    return this.#readyAt;
  }

  /** Revision that the host reported before the start, if any. */
  get revision(): string | undefined {
    return this.#revision;
  }

  /** Ends the browser, also during its start. */
  end(): void {
    this.#stop.abort(new Error("it is no longer kept ready"));
  }

  /**
   * Hands the browser over to a session, after its start. From the call on the browser belongs to that session.
   *
   * @throws {Error} If the start fails, the hand-over cannot be saved or `signal` is aborted. The browser is then ended.
   */
  async handOver(
    sessionId: string,
    signal: AbortSignal,
  ): Promise<RunningBrowser> {
    this.#taken.abort();
    const { host } = this.#options;
    const onAbort = () => this.#stop.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    const browser = await this.#started.finally(() =>
      signal.removeEventListener("abort", onAbort)
    );
    try {
      return await host.handOver(browser, sessionId);
    } catch (error) {
      await this.#discard(browser);
      throw error;
    }
  }

  async #start(): Promise<RunningBrowser> {
    const { host, clock, spec } = this.#options;
    const { signal } = this.#stop;
    await host.prepare?.(signal, spec);
    this.#revision = await host.revision?.(spec, signal).catch(() => undefined);
    using timeout = deadline(clock, START_MS, signal);
    return await host.startUnassigned(spec, timeout.signal);
  }

  async #watch(): Promise<void> {
    const { clock, isHostUp, onReady, onFailure } = this.#options;
    try {
      const browser = await this.#started;
      this.#readyAt = clock.monotonic();
      if (this.#taken.signal.aborted) return;
      onReady();
      const signal = AbortSignal.any([this.#stop.signal, this.#taken.signal]);
      const end = await waitForEnd(browser, { clock, isHostUp, signal });
      if (this.#taken.signal.aborted) return;
      if (end && !this.isEnding) {
        this.end();
        onFailure(end.hangs ? end.exit.detail : `it died: ${end.exit.detail}`);
      }
      await this.#discard(browser);
    } catch (error) {
      if (!this.isEnding && !this.#taken.signal.aborted) onFailure(error);
    }
  }

  async #discard(browser: RunningBrowser): Promise<void> {
    await this.#options.host.discard(browser).catch((error) =>
      log.warn("Warm browser not removed, left to the sweep: {error}", {
        error,
      })
    );
  }
}
