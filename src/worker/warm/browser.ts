import type { BrowserSpec } from "../../core/browser_spec.ts";
import { type Clock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import { createLogger } from "../../core/log.ts";
import type { RunningBrowser } from "../../core/provider.ts";
import { waitForEnd } from "../liveness.ts";
import type { WarmHost } from "./host.ts";

const log = createLogger("worker", "warm_browser");

/** Longest time of a start. What it needs is got before. */
const START_MS = 60_000;

/** What a warm browser is made of. */
export interface WarmBrowserOptions {
  readonly host: WarmHost;
  readonly clock: Clock;
  readonly spec: BrowserSpec;
  /** Reports whether the host responds. */
  readonly isHostUp: () => Promise<boolean>;
  /** Told when it is ready. */
  readonly onReady: () => void;
  /** Told why it did not start, or has died. Not when it was told to end. */
  readonly onFailure: (why: unknown) => void;
}

/** One browser that waits for a session, from its start to its end or to its hand-over. */
export class WarmBrowser {
  readonly spec: BrowserSpec;
  /** Resolves when nothing of it is left, or it is a session's. Never rejects. */
  readonly ended: Promise<void>;
  readonly #options: WarmBrowserOptions;
  readonly #stop = new AbortController();
  readonly #started: Promise<RunningBrowser>;
  /** Aborted when a session takes the browser and watches it itself. */
  readonly #taken = new AbortController();
  #readyAt = Infinity;
  #revision: string | undefined;

  constructor(options: WarmBrowserOptions) {
    this.spec = options.spec;
    this.#options = options;
    this.#started = this.#start();
    this.ended = this.#watch();
  }

  /** Whether it has been told to end. */
  get isEnding(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Whether it runs. */
  get isReady(): boolean {
    return this.#readyAt < Infinity;
  }

  /** When it was ready, by the monotonic clock; Infinity: it starts still. */
  get readyAt(): number {
    return this.#readyAt;
  }

  /** What its host said of the browser before its start, if anything. */
  get revision(): string | undefined {
    return this.#revision;
  }

  end(): void {
    this.#stop.abort(new Error("it is no longer kept ready"));
  }

  /**
   * Makes it the browser of a session, and nobody else's from this moment on. One that still starts is awaited.
   *
   * @throws {Error} If it does not start, its hand-over cannot be written, or `signal` is aborted; it is ended then.
   */
  async handOver(
    sessionId: string,
    signal: AbortSignal,
  ): Promise<RunningBrowser> {
    this.#taken.abort();
    const { host } = this.#options;
    const giveUp = () => this.#stop.abort(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
    const browser = await this.#started.finally(() =>
      signal.removeEventListener("abort", giveUp)
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
    using patience = deadline(clock, START_MS, signal);
    return await host.startUnassigned(spec, patience.signal);
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
        onFailure(
          end.hangs ? end.exit.detail : `it died: ${end.exit.detail}`,
        );
      }
      await this.#discard(browser);
    } catch (error) {
      if (!this.isEnding && !this.#taken.signal.aborted) onFailure(error);
    }
  }

  async #discard(browser: RunningBrowser): Promise<void> {
    await this.#options.host.discard(browser).catch((error) =>
      log.warn("What is left of a warm browser is ended later: {error}", {
        error,
      })
    );
  }
}
