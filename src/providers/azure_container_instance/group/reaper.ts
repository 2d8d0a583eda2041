import { systemClock } from "../../../async/clock.ts";
import { deadline } from "../../../async/deadline.ts";
import { lruTouch } from "../../../async/lru.ts";
import { settleWithin } from "../../../async/settle_within.ts";
import { toMessage } from "../../../core/log.ts";
import { ArmError } from "../arm/arm_error.ts";
import { type ContainerGroups, isAmbiguous } from "../arm/container_groups.ts";

/** Pause before the retry of a removal: the first and the longest. */
const RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;

/** Maximum pause that Azure may ask for: its limits are hourly, and a group that is not removed costs money. */
const MAX_ASKED_MS = 3_600_000;

/** Maximum pause before it is checked again whether a deleted group is gone. */
const MAX_POLL_MS = 5_000;

/** Default pause before that check. */
const POLL_MS = 1_000;

/** Time for which Azure may still create a group whose creation had no response. */
const LATE_MS = 5_000;

/** Time after which the deletion is requested again. */
const DELETION_MS = 60_000;

/** Time that the one attempt of a closed host takes. */
const LAST_ATTEMPT_MS = 5_000;

/** Number of removed groups whose names are known. */
const MAX_REMOVED = 1_000;

/** A pending removal. */
interface Removal {
  readonly done: Promise<void>;
  /** Error of the last attempt. */
  failure: unknown;
}

/**
 * Removes container groups in the background, and retries each removal until the group is gone, even if Azure is
 * unavailable for a long time.
 *
 * When the host is closed, the sweep of a later process finds the remaining groups by their tags.
 */
export class GroupReaper {
  readonly #groups: ContainerGroups;
  readonly #signal: AbortSignal;
  readonly #pending = new Map<string, Removal>();
  readonly #removed = new Map<string, true>();

  /** @param signal Ends the retries. */
  constructor(groups: ContainerGroups, signal: AbortSignal) {
    this.#groups = groups;
    this.#signal = signal;
  }

  /**
   * Removes a group, and resolves when it is gone.
   *
   * @throws {Error} If it is not gone after `waitMs`. The removal continues.
   */
  async remove(name: string, waitMs: number): Promise<void> {
    const removal = this.#pending.get(name) ??
      this.#begin(name, (removal) => this.#retryRemoval(name, removal));
    await settleWithin(removal.done, waitMs);
    if (this.#pending.get(name) !== removal) return;
    throw new Error(
      `Cannot remove container group "${name}" within ${waitMs / 1_000} s: ${
        toMessage(removal.failure ?? "it is being deleted")
      }. The removal is retried until it succeeds`,
      { cause: removal.failure },
    );
  }

  /** Removes the group `name`, which `creating` may still create, or may have created without a response. */
  async removePending({ name, creating, waitMs }: {
    readonly name: string;
    readonly creating: Promise<unknown>;
    readonly waitMs: number;
  }): Promise<void> {
    const { done } = this.#begin(name, async (removal) => {
      const error = await creating.then(() => undefined, (error) => error);
      if (error !== undefined && !isAmbiguous(error)) return;
      await this.#retryRemoval(name, removal);
      if (error === undefined) return;
      await systemClock.sleep(LATE_MS, this.#signal);
      await this.#retryRemoval(name, removal);
    });
    await settleWithin(done, waitMs);
  }

  /** Reports whether a group was removed, which lists may contain for some seconds afterwards. Names are not reused. */
  hasRemoved(name: string): boolean {
    return this.#removed.has(name);
  }

  /** Resolves when no removal is pending. */
  async idle(): Promise<void> {
    await Promise.all([...this.#pending.values()].map(({ done }) => done));
  }

  #begin(name: string, run: (removal: Removal) => Promise<void>): Removal {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const removal: Removal = { done, failure: undefined };
    this.#pending.set(name, removal);
    void run(removal).then(
      () => {
        this.#pending.delete(name);
        lruTouch(this.#removed, [name, true], MAX_REMOVED);
      },
      (error) => removal.failure ??= error,
    ).finally(resolve);
    return removal;
  }

  async #retryRemoval(name: string, removal: Removal): Promise<void> {
    for (let pause = RETRY_MS;; pause = Math.min(2 * pause, MAX_RETRY_MS)) {
      try {
        return await this.#removeOnce(name);
      } catch (error) {
        removal.failure = error;
        if (this.#signal.aborted) throw error;
        if (error instanceof ArmError) {
          pause = Math.min(error.retryAfterMs ?? pause, MAX_ASKED_MS);
        }
      }
      await systemClock.sleep(pause, this.#signal);
    }
  }

  /** Requests the deletion, and waits until Azure does not know the group any more. Tried once if the host is closed. */
  async #removeOnce(name: string): Promise<void> {
    using limit = this.#signal.aborted
      ? deadline(systemClock, LAST_ATTEMPT_MS)
      : deadline(systemClock, DELETION_MS, this.#signal);
    const { signal } = limit;
    const accepted = await this.#groups.delete(name, signal);
    if (!accepted) return;
    for (let pause = accepted.retryAfterMs;;) {
      const ms = Math.min(pause ?? POLL_MS, MAX_POLL_MS);
      await systemClock.sleep(ms, signal);
      const found = await this.#groups.find(name, signal);
      if (!found) return;
      pause = found.retryAfterMs;
    }
  }
}
