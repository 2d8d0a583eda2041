import type { Clock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import { createLogger, toMessage } from "../../core/log.ts";
import { every } from "../../async/every.ts";
import type { BrowserHost } from "../../core/provider.ts";

const log = createLogger("worker", "host_health");

/** Time between two questions. */
const PERIOD_MS = 2_000;

/** Longest wait for an answer. */
const PING_TIMEOUT_MS = 4_000;

/** What host health is watched with. */
export interface HostHealthOptions {
  readonly host: BrowserHost;
  readonly clock: Clock;
  /** Told when it has gone or come back. */
  readonly onChange: () => void;
}

/** Whether the infrastructure that runs browsers answers. Without it a worker claims nothing. */
export class HostHealth implements AsyncDisposable {
  readonly #options: HostHealthOptions;
  readonly #loop: AsyncDisposable;
  #problem: string | undefined;

  constructor(options: HostHealthOptions) {
    this.#options = options;
    this.#loop = options.host.ping
      ? every((signal) => this.check(signal), {
        clock: options.clock,
        periodMs: PERIOD_MS,
        jitter: 0.2,
      })
      : { [Symbol.asyncDispose]: () => Promise.resolve() };
  }

  get isUp(): boolean {
    return this.#problem === undefined;
  }

  /** What a person can do about it; undefined while it answers. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Asks now. */
  async check(signal?: AbortSignal): Promise<boolean> {
    const { host, clock } = this.#options;
    using patience = deadline(
      clock,
      PING_TIMEOUT_MS,
      ...(signal ? [signal] : []),
    );
    try {
      await host.ping?.(patience.signal);
      this.#setProblem(undefined);
    } catch (error) {
      if (!signal?.aborted) this.#setProblem(toMessage(error));
    }
    return this.isUp;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop[Symbol.asyncDispose]();
  }

  #setProblem(problem: string | undefined): void {
    const wasUp = this.isUp;
    this.#problem = problem;
    if (wasUp === this.isUp) return;
    if (problem === undefined) log.info("Browsers can be started again");
    else log.warn("Cannot start browsers now: {problem}", { problem });
    this.#options.onChange();
  }
}
