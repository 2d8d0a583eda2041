import { aborted } from "../../async/abortable.ts";
import type { Clock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import { ApiError } from "../../client/api_error.ts";
import type { GridClient } from "../../client/client.ts";
import { createLogger } from "../../core/log.ts";
import type { OutputPart, RunningBrowser } from "../../core/provider.ts";
import type { WorkerProof } from "../../core/worker_proof.ts";

const log = createLogger("worker", "logs");

/** Number of last lines to begin with. */
const LINES = 200;

/** Shortest time between two requests. Output that comes during it is sent at once, or left out. */
const PAUSE_MS = 400;

/** Longest time without a request, whose response says whether clients still follow. */
const IDLE_MS = 5_000;

/** Timeout of a request, and the pause before it is repeated. */
const SEND_TIMEOUT_MS = 5_000;
const RETRY_MS = 1_000;

/** Number of requests for one part. */
const MAX_ATTEMPTS = 4;

/** Longest time in which the rest of the output is sent at the end of a session, whose report waits for it. */
const FINISH_MS = 1_000;

/** Options of a {@linkcode LogSender}. */
export interface LogSenderOptions {
  readonly client: Pick<GridClient, "addSessionLogs">;
  readonly proof: WorkerProof;
  readonly clock: Clock;
  readonly fencingToken: number;
  readonly browser: RunningBrowser;
}

/** Sends the output of one session while clients follow it. */
export class LogSender {
  readonly #options: LogSenderOptions;
  /** Aborted when the rest of the output must be sent. */
  readonly #finish = new AbortController();
  /** Aborted when nothing more must be sent. */
  readonly #stop = new AbortController();
  /** Resolves when nothing more is sent. Never rejects. */
  readonly ended: Promise<void>;

  constructor(options: LogSenderOptions) {
    this.#options = options;
    this.ended = this.#run();
  }

  get fencingToken(): number {
    return this.#options.fencingToken;
  }

  /** Sends nothing more. */
  stop(): void {
    this.#finish.abort();
    this.#stop.abort();
  }

  /** Sends the rest of the output, for at most a second. */
  async finish(): Promise<void> {
    this.#finish.abort();
    using timeout = deadline(this.#options.clock, FINISH_MS);
    await Promise.race([this.ended, aborted(timeout.signal)]);
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    const parts = this.#open();
    try {
      for await (const part of this.#pace(parts)) {
        if (!await this.#send(part)) break;
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) {
        log.warn("Output of session {session_id} not sent: {error}", {
          session_id: this.#options.browser.sessionId,
          error,
        });
      }
    } finally {
      this.stop();
      await parts.return().catch(() => {});
    }
  }

  #open(): AsyncGenerator<OutputPart, void> {
    const { browser } = this.#options;
    const { signal } = this.#finish;
    return browser.followLogs?.({ lines: LINES, signal }) ??
      readLastLines(browser, signal);
  }

  /** Yields the parts, not too fast, and empty ones while there are none. */
  async *#pace(
    parts: AsyncGenerator<OutputPart, void>,
  ): AsyncGenerator<OutputPart & { readonly isFirst: boolean }, void> {
    const { clock } = this.#options;
    let next: Promise<IteratorResult<OutputPart, void>> | undefined;
    let isFirst = true;
    while (!this.#stop.signal.aborted) {
      next ??= parts.next();
      using idle = deadline(clock, IDLE_MS, this.#stop.signal);
      const result = await Promise.race([next, aborted(idle.signal)]);
      if (!result) yield { text: "", omitted: 0, isFirst: false };
      else if (result.done) return;
      else {
        next = undefined;
        yield { ...result.value, isFirst };
        isFirst = false;
      }
      await clock.sleep(PAUSE_MS, this.#finish.signal).catch(() => {});
    }
  }

  /** Returns true while clients follow. */
  async #send(
    { text, omitted, isFirst }: OutputPart & { readonly isFirst: boolean },
  ): Promise<boolean> {
    const { client, proof, clock, fencingToken, browser } = this.#options;
    const stop = this.#stop.signal;
    const body = {
      fencing_token: fencingToken,
      text: text.toWellFormed(),
      omitted_bytes: omitted,
      first: isFirst,
    };
    for (let attempt = 1;; attempt++) {
      using timeout = deadline(clock, SEND_TIMEOUT_MS, stop);
      try {
        const { followed } = await client.addSessionLogs(
          browser.sessionId,
          body,
          { proof, signal: timeout.signal },
        );
        return followed;
      } catch (error) {
        if (stop.aborted || isFinal(error)) return false;
        if (attempt === MAX_ATTEMPTS) throw error;
      }
      await clock.sleep(RETRY_MS, stop).catch(() => {});
      if (stop.aborted) return false;
    }
  }
}

/** Reports whether a repeated request would be rejected too: the session has ended, or another worker holds it. */
function isFinal(error: unknown): boolean {
  return error instanceof ApiError && error.status >= 400 &&
    error.status < 500 && error.status !== 429;
}

/** Yields the last lines of a browser whose provider cannot follow its output. */
async function* readLastLines(
  browser: Pick<RunningBrowser, "logs">,
  signal: AbortSignal,
): AsyncGenerator<OutputPart, void> {
  const text = await browser.logs?.(LINES) ?? "";
  const note = "[its provider shows further output only when it has ended]";
  yield { text: `${text === "" ? "" : `${text}\n`}${note}\n`, omitted: 0 };
  await aborted(signal);
}
