import type { Clock } from "../../async/clock.ts";
import { every } from "../../async/every.ts";
import type { BrowserStats } from "../../core/provider.ts";
import { HostMeter, type HostUse } from "./resource_use.ts";
import { type MeasuredBrowser, SessionSampler } from "./session_sampler.ts";

/** Options of a {@linkcode WorkerSampler}. */
export interface WorkerSamplerOptions {
  readonly clock: Clock;
  /** Time between two measurements; 0 disables them. */
  readonly periodMs: number;
  /** Folder whose disk is measured. */
  readonly dataDir: string;
  readonly listBrowsers: () => readonly MeasuredBrowser[];
}

/** Measures a worker's host and its browsers periodically. The next heartbeat takes the results. */
export class WorkerSampler implements AsyncDisposable {
  readonly #options: WorkerSamplerOptions;
  readonly #host: HostMeter;
  readonly #sessions: SessionSampler;
  #hostUse: HostUse | undefined;
  #loop: AsyncDisposable | undefined;

  constructor(options: WorkerSamplerOptions) {
    this.#options = options;
    this.#host = new HostMeter(options);
    this.#sessions = new SessionSampler(options.listBrowsers);
  }

  /** Measures until disposed. */
  start(): void {
    const { clock, periodMs } = this.#options;
    if (periodMs === 0) return;
    this.#loop = every(() => this.#measure(), { clock, periodMs });
  }

  /** Returns the measurement of the host once; undefined if there is none since the last call. */
  takeHost(): HostUse | undefined {
    const use = this.#hostUse;
    this.#hostUse = undefined;
    return use;
  }

  /** Returns the measurement of a session's browser, likewise. */
  takeSession(sessionId: string): BrowserStats | undefined {
    return this.#sessions.take(sessionId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop?.[Symbol.asyncDispose]();
  }

  async #measure(): Promise<void> {
    await this.#sessions.measure();
    const use = this.#host.read();
    // The first measurement has no period.
    if (use.cpu_percent !== null) this.#hostUse = use;
  }
}
