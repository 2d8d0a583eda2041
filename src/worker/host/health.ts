import type { Clock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import { every } from "../../async/every.ts";
import { createLogger, toMessage } from "../../core/log.ts";
import type { BrowserHost } from "../../core/provider.ts";

const log = createLogger("worker", "host_health");

/** Interval of the pings. */
const PERIOD_MS = 2_000;

/** Timeout of a ping. */
const PING_TIMEOUT_MS = 4_000;

/** Options of a {@linkcode HostHealth}. */
export interface HostHealthOptions {
  readonly host: Pick<BrowserHost, "ping">;
  readonly clock: Clock;
  /** Called when the host stops or starts to respond. */
  readonly onChange: () => void;
}

/** The health of the infrastructure that runs browsers. While it does not respond, the worker claims no sessions. */
export class HostHealth implements AsyncDisposable {
  readonly #options: HostHealthOptions;
  #loop: AsyncDisposable | undefined;
  #problem: string | undefined;

  constructor(options: HostHealthOptions) {
    this.#options = options;
  }

  /** Pings the host periodically until disposed, if it can be pinged. */
  start(): void {
    const { host, clock } = this.#options;
    if (!host.ping) return;
    this.#loop = every((signal) => this.check(signal), {
      clock,
      periodMs: PERIOD_MS,
      jitter: 0.2,
    });
  }

  get isUp(): boolean {
    return this.#problem === undefined;
  }

  /** Message about the failed ping, with what a person can do about it; undefined while the host responds. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Pings the host now. Returns true if it responds. */
  async check(signal?: AbortSignal): Promise<boolean> {
    const { host, clock } = this.#options;
    using timeout = deadline(
      clock,
      PING_TIMEOUT_MS,
      ...(signal ? [signal] : []),
    );
    try {
      await host.ping?.(timeout.signal);
      this.#setProblem(undefined);
    } catch (error) {
      if (!signal?.aborted) this.#setProblem(toMessage(error));
    }
    return this.isUp;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop?.[Symbol.asyncDispose]();
  }

  #setProblem(problem: string | undefined): void {
    const wasUp = this.isUp;
    this.#problem = problem;
    if (wasUp === this.isUp) return;
    if (problem === undefined) log.info("Browser host responds again");
    else log.warn("Browser host does not respond: {problem}", { problem });
    this.#options.onChange();
  }
}
