import { systemClock } from "../../../async/clock.ts";
import { settleWithin } from "../../../async/settle_within.ts";
import {
  callEngine,
  type Engine,
  engineMessage,
  engineStatus,
  isUnreachable,
} from "../engine/engine.ts";

/** Pause before a removal is tried again, the first and the longest. */
const RETRY_MS = 250;
const MAX_RETRY_MS = 5_000;

/** How long an engine that was asked to make a container, and did not answer, may still be about to make it. */
const LATE_MS = 5_000;

interface Removal {
  readonly done: Promise<void>;
  /** Why it is not done yet. */
  why: unknown;
}

/**
 * Containers that have to go. Each is tried until it is gone, however long the engine fails or is away, so that nobody
 * has to wait for it.
 *
 * When the host is closed they are left to the sweep of a later process, which finds them by their labels.
 */
export class ContainerReaper {
  readonly #engine: Engine;
  readonly #signal: AbortSignal;
  readonly #going = new Map<string, Removal>();

  /** @param signal Ends the trying. */
  constructor(engine: Engine, signal: AbortSignal) {
    this.#engine = engine;
    this.#signal = signal;
  }

  /**
   * Kills and removes a container, named or by its id, and resolves when it is gone.
   *
   * @throws {Error} when it is not gone after `waitMs`; its removal goes on.
   */
  async remove(container: string, waitMs: number): Promise<void> {
    const removal = this.#going.get(container) ??
      this.#begin(container, (removal) => this.#untilGone(container, removal));
    await settleWithin(removal.done, waitMs);
    if (this.#going.get(container) !== removal) return;
    throw new Error(
      `Cannot remove container "${container}" within ${waitMs / 1_000} s: ${
        engineMessage(removal.why ?? "the engine does not answer")
      }. It is tried again until it is gone`,
      { cause: removal.why },
    );
  }

  /** Removes the container `name`, which `creating` may still make, or may have made without an answer. */
  async removePending({ name, creating, waitMs }: {
    readonly name: string;
    readonly creating: Promise<unknown>;
    readonly waitMs: number;
  }): Promise<void> {
    const { done } = this.#begin(name, async (removal) => {
      const failure = await creating.then(() => undefined, (error) => error);
      if (failure !== undefined && wasNotCreated(failure)) return;
      await this.#untilGone(name, removal);
      if (failure === undefined) return;
      await systemClock.sleep(LATE_MS, this.#signal);
      await this.#untilGone(name, removal);
    });
    await settleWithin(done, waitMs);
  }

  /** Resolves when none is left. */
  async idle(): Promise<void> {
    await Promise.all([...this.#going.values()].map(({ done }) => done));
  }

  #begin(
    container: string,
    run: (removal: Removal) => Promise<void>,
  ): Removal {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const removal: Removal = { done, why: undefined };
    this.#going.set(container, removal);
    void run(removal).then(
      () => this.#going.delete(container),
      (error) => removal.why ??= error,
    ).finally(resolve);
    return removal;
  }

  async #untilGone(container: string, removal: Removal): Promise<void> {
    for (let pause = RETRY_MS;; pause = Math.min(2 * pause, MAX_RETRY_MS)) {
      try {
        await callEngine(
          (abortSignal) =>
            this.#engine.docker.getContainer(container).remove({
              force: true,
              v: true,
              abortSignal,
            }),
          // Also when the host is closed, but then only once.
          this.#signal.aborted ? {} : { signal: this.#signal },
        );
        return;
      } catch (error) {
        if (engineStatus(error) === 404) return;
        // 409: somebody else is removing it; that is not the end of it yet.
        removal.why = error;
      }
      await systemClock.sleep(pause, this.#signal);
    }
  }
}

/** Whether the engine cannot have made what it was asked for: it refused, or was not reached. 409: the name is there. */
function wasNotCreated(error: unknown): boolean {
  const status = engineStatus(error);
  return status === undefined ? isUnreachable(error) : status !== 409;
}
