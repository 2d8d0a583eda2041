import { systemClock } from "../../../async/clock.ts";
import { settleWithin } from "../../../async/settle_within.ts";
import { callEngine } from "../engine/call_engine.ts";
import type { Engine } from "../engine/engine.ts";
import {
  engineMessage,
  engineStatus,
  isUnreachable,
} from "../engine/engine_error.ts";

/** Pause before the retry of a removal: the first and the longest. */
const RETRY_MS = 250;
const MAX_RETRY_MS = 5_000;

/** Time for which an engine that did not respond to the creation of a container may still create it. */
const LATE_MS = 5_000;

/** A pending removal. */
interface Removal {
  readonly done: Promise<void>;
  /** Error of the last attempt. */
  failure: unknown;
}

/**
 * Removes containers in the background, and retries each removal until it succeeds, even if the engine is unavailable
 * for a long time.
 *
 * When the host is closed, the sweep of a later process finds the remaining containers by their labels.
 */
export class ContainerReaper {
  readonly #engine: Engine;
  readonly #signal: AbortSignal;
  readonly #pending = new Map<string, Removal>();

  /** @param signal Ends the retries. */
  constructor(engine: Engine, signal: AbortSignal) {
    this.#engine = engine;
    this.#signal = signal;
  }

  /**
   * Kills and removes a container by its name or id.
   *
   * @throws {Error} If it is not removed after `waitMs`. The removal continues.
   */
  async remove(container: string, waitMs: number): Promise<void> {
    const removal = this.#pending.get(container) ??
      this.#begin(
        container,
        (removal) => this.#retryRemoval(container, removal),
      );
    await settleWithin(removal.done, waitMs);
    if (this.#pending.get(container) !== removal) return;
    throw new Error(
      `Cannot remove container "${container}" within ${waitMs / 1_000} s: ${
        engineMessage(removal.failure ?? "the engine does not answer")
      }. The removal is retried until it succeeds`,
      { cause: removal.failure },
    );
  }

  /** Removes the container `name`, which `creating` may still create, or may have created without a response. */
  async removePending({ name, creating, waitMs }: {
    readonly name: string;
    readonly creating: Promise<unknown>;
    readonly waitMs: number;
  }): Promise<void> {
    const { done } = this.#begin(name, async (removal) => {
      const error = await creating.then(() => undefined, (error) => error);
      if (error !== undefined && wasNotCreated(error)) return;
      await this.#retryRemoval(name, removal);
      if (error === undefined) return;
      await systemClock.sleep(LATE_MS, this.#signal);
      await this.#retryRemoval(name, removal);
    });
    await settleWithin(done, waitMs);
  }

  /** Resolves when no removal is pending. */
  async idle(): Promise<void> {
    await Promise.all([...this.#pending.values()].map(({ done }) => done));
  }

  #begin(
    container: string,
    run: (removal: Removal) => Promise<void>,
  ): Removal {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const removal: Removal = { done, failure: undefined };
    this.#pending.set(container, removal);
    void run(removal).then(
      () => this.#pending.delete(container),
      (error) => removal.failure ??= error,
    ).finally(resolve);
    return removal;
  }

  async #retryRemoval(container: string, removal: Removal): Promise<void> {
    for (let pause = RETRY_MS;; pause = Math.min(2 * pause, MAX_RETRY_MS)) {
      try {
        await callEngine(
          (abortSignal) =>
            this.#engine.docker.getContainer(container).remove({
              force: true,
              v: true,
              abortSignal,
            }),
          // Tried once if the host is already closed.
          this.#signal.aborted ? {} : { signal: this.#signal },
        );
        return;
      } catch (error) {
        if (engineStatus(error) === 404) return;
        // 409 means that another client is removing it, which has not ended yet.
        removal.failure = error;
      }
      await systemClock.sleep(pause, this.#signal);
    }
  }
}

/** Reports whether the engine has certainly not created the container: it rejected the request, except with 409 for an existing name, or was not reached. */
function wasNotCreated(error: unknown): boolean {
  const status = engineStatus(error);
  return status === undefined ? isUnreachable(error) : status !== 409;
}
