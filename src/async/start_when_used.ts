import type { Clock } from "./clock.ts";
import { every } from "./every.ts";

/** Options of {@linkcode StartWhenUsed}. */
export interface StartWhenUsedOptions {
  readonly clock: Clock;
  /** Reports whether the part has something to do. Called until the part has started. */
  readonly isUsed: () => Promise<boolean>;
  /** Imports and starts the part. */
  readonly start: () => Promise<AsyncDisposable>;
  /** Called if the start failed; the next check tries again. */
  readonly onFailure: (error: unknown) => void;
}

/** Time between two checks, while the part is not used. */
const CHECK_INTERVAL_MS = 8_000;

/** Starts a part of the program as soon as it is used. Disposal ends it. */
export class StartWhenUsed implements AsyncDisposable {
  readonly #options: StartWhenUsedOptions;
  readonly #checks: AsyncDisposable;
  #isEnded = false;
  #started: Promise<AsyncDisposable | undefined> | undefined;

  constructor(options: StartWhenUsedOptions) {
    this.#options = options;
    const { clock } = options;
    this.#checks = every(
      () => this.#check(),
      { clock, periodMs: CHECK_INTERVAL_MS, jitter: 0.25 },
    );
  }

  /** Checks now, after a change that may be the first use. */
  checkSoon(): void {
    // The next periodic check reports the failure again.
    void this.#check().catch(() => {});
  }

  /** Starts the part, unless it has started. Never rejects. */
  async startOnce(): Promise<void> {
    const { start, onFailure } = this.#options;
    this.#started ??= start().catch((error) => {
      onFailure(error);
      return undefined;
    });
    // The next check tries again.
    if (await this.#started === undefined) this.#started = undefined;
  }

  async #check(): Promise<void> {
    if (this.#isEnded || this.#started) return;
    const isUsed = await this.#options.isUsed();
    if (isUsed && !this.#isEnded) await this.startOnce();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    await this.#checks[Symbol.asyncDispose]();
    await (await this.#started)?.[Symbol.asyncDispose]();
  }
}
