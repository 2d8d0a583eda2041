import { systemClock } from "../../../async/clock.ts";
import { deadline } from "../../../async/deadline.ts";
import { settleWithin } from "../../../async/settle_within.ts";
import { apiStatus, toReason, wasNotDone } from "../api/api_error.ts";
import type { KubernetesClient } from "../api/client.ts";
import type { Pod } from "../api/objects.ts";
import type { PodWatch } from "../api/pod_watch.ts";
import { isLost } from "./state.ts";

/** Pause before a deletion is requested again: the first and the longest. */
const RETRY_MS = 250;
const MAX_RETRY_MS = 5_000;

/** Time after the grace period in which a node may confirm a deletion. The API then forgets the pod, whose node is probably lost. */
const FORCE_MS = 45_000;

/** Time for which a server that did not respond to the creation of a pod may still create it. */
const LATE_MS = 5_000;

/** A pending deletion. */
interface Removal {
  readonly done: Promise<void>;
  /** End of the grace period on the monotonic clock. A later call can only shorten it. */
  killAt: number;
  /** Requests the deletion again at once. */
  wake: () => void;
  /** Error of the last attempt. */
  failure: unknown;
}

/** Options of {@linkcode PodReaper.remove}. */
export interface RemoveOptions {
  /** Time between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  /** Maximum wait for the end of the pod. */
  readonly waitMs: number;
}

/**
 * Deletes pods in the background, and retries until each is gone, even if the API is unavailable for a long time.
 *
 * When the host is closed, the sweep of a later process finds the remaining pods by their labels.
 */
export class PodReaper {
  readonly #client: KubernetesClient;
  readonly #watch: PodWatch;
  readonly #signal: AbortSignal;
  readonly #pending = new Map<string, Removal>();

  /** @param signal Ends the retries. */
  constructor(client: KubernetesClient, watch: PodWatch, signal: AbortSignal) {
    this.#client = client;
    this.#watch = watch;
    this.#signal = signal;
  }

  /**
   * Deletes a pod and waits until it is gone. A repeated call can shorten the grace period.
   *
   * @throws {Error} If it is not gone after `waitMs`. The deletion continues.
   */
  async remove(pod: Pod, { graceMs, waitMs }: RemoveOptions): Promise<void> {
    const { name } = pod.metadata;
    const killAt = systemClock.monotonic() + graceMs;
    const removal = this.#pending.get(name) ??
      this.#begin(
        name,
        killAt,
        (removal) => this.#delete(name, removal, { pod, waitMs }),
      );
    if (killAt < removal.killAt) {
      removal.killAt = killAt;
      removal.wake();
    }
    await settleWithin(removal.done, waitMs);
    if (this.#pending.get(name) !== removal) return;
    throw new Error(
      `Cannot remove pod "${name}" within ${Math.round(waitMs / 1_000)} s: ${
        toReason(removal.failure ?? "its node does not confirm it")
      }. The removal is retried until it succeeds`,
      { cause: removal.failure },
    );
  }

  /** Deletes the pod `name`, which `creating` may still create, or may have created without a response. */
  async removePending({ name, creating, waitMs }: {
    readonly name: string;
    readonly creating: Promise<Pod>;
    readonly waitMs: number;
  }): Promise<void> {
    const { done } = this.#begin(
      name,
      systemClock.monotonic(),
      async (removal) => {
        const created = await creating.then(
          (pod) => ({ pod }),
          (error: unknown) => ({ error }),
        );
        if ("error" in created && wasNotDone(created.error)) return;
        const pod = "pod" in created ? created.pod : undefined;
        await this.#delete(name, removal, { pod, waitMs });
        if (pod !== undefined) return;
        await systemClock.sleep(LATE_MS, this.#signal);
        await this.#delete(name, removal, { pod, waitMs });
      },
    );
    await settleWithin(done, waitMs);
  }

  /** Resolves when no deletion is pending. */
  async idle(): Promise<void> {
    await Promise.all([...this.#pending.values()].map(({ done }) => done));
  }

  #begin(
    name: string,
    killAt: number,
    run: (removal: Removal) => Promise<void>,
  ): Removal {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const removal: Removal = {
      done,
      killAt,
      wake: () => {},
      failure: undefined,
    };
    this.#pending.set(name, removal);
    void run(removal).then(
      () => this.#pending.delete(name),
      (error) => removal.failure ??= error,
    ).finally(resolve);
    return removal;
  }

  async #delete(
    name: string,
    removal: Removal,
    { pod, waitMs }: { readonly pod: Pod | undefined; readonly waitMs: number },
  ): Promise<void> {
    // After the disposal of the host, only the caller's wait limits the deletion.
    using late = deadline(systemClock, waitMs);
    const signal = this.#signal.aborted ? late.signal : this.#signal;
    for (let pause = RETRY_MS;; pause = Math.min(2 * pause, MAX_RETRY_MS)) {
      try {
        const known = this.#watch.find(name);
        const graceSeconds = known !== undefined && isLost(known)
          ? 0
          : findGraceSeconds(removal);
        await this.#client.deletePod(name, graceSeconds, { signal });
      } catch (error) {
        if (apiStatus(error) === 404) return;
        removal.failure = error;
      }
      if (await this.#waitUntilGone(pod, removal, { pause, signal })) return;
    }
  }

  /** Waits until the watch reports the deletion, for at most `pause`. Returns true if it did. */
  async #waitUntilGone(
    pod: Pod | undefined,
    removal: Removal,
    { pause, signal }: { readonly pause: number; readonly signal: AbortSignal },
  ): Promise<boolean> {
    using waiting = deadline(systemClock, pause, signal);
    const woken = Promise.withResolvers<void>();
    removal.wake = () => woken.resolve();
    if (pod) this.#watch.add(pod);
    const gone = pod === undefined
      ? systemClock.sleep(pause, waiting.signal).then(() => false)
      : this.#watch.waitFor(
        pod,
        ({ pod: found }) => found === undefined ? true : undefined,
        waiting.signal,
      );
    const isGone = await Promise.race([
      gone.catch(() => false),
      woken.promise,
    ]);
    signal.throwIfAborted();
    return isGone === true;
  }
}

function findGraceSeconds({ killAt }: Removal): number {
  const leftMs = killAt - systemClock.monotonic();
  if (leftMs < -FORCE_MS) return 0;
  return Math.max(1, Math.ceil(leftMs / 1_000));
}
