/**
 * A watch of a worker's pods, shared by all of them.
 *
 * ```text
 * list --version--> watch --ended by the server--> watch again from the last version
 *   ^                 | broken, or ended at once: pause, watch again from the last version
 *   +----410 Gone-----+
 * ```
 *
 * Bookmarks advance the version while the pods do not change, so that a later watch can continue from it.
 *
 * @see {@link https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes Efficient detection of changes}
 * @module
 */
import { systemClock } from "../../../async/clock.ts";
import { lruTouch } from "../../../async/lru.ts";
import { Watchdog } from "../../../async/watchdog.ts";
import { createLogger } from "../../../core/log.ts";
import { ApiError, apiStatus, toReason } from "./api_error.ts";
import type { KubernetesClient } from "./client.ts";
import type { Pod, WatchEvent } from "./objects.ts";

const log = createLogger("providers", "kubernetes");

/** Time after which the server ends a watch, so that a dead connection is noticed soon. */
const WATCH_SECONDS = 60;

/** Time for which a watch may be silent. */
const SILENCE_MS = 75_000;

/** Time after which a watch counts as one that works, and the next one begins without a pause. */
const STABLE_MS = 30_000;

/** Pause before the next attempt: the first and the longest. */
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 5_000;

/** Time after an outage in which changes count as ones that happened during it. */
const MISSED_MS = 1_000;

/** Number of deleted pods that are remembered, for creations whose response arrives after their deletion. */
const MAX_DELETED = 1_000;

/** State of a pod. */
export interface PodState {
  /** Undefined if it was deleted. */
  readonly pod: Pod | undefined;
  /** Last state before its deletion. */
  readonly last: Pod;
  /** True if it changed while the API was unavailable. */
  readonly wasMissed: boolean;
}

/** Callback for each state of a pod. */
type Observer = (state: PodState) => void;

/** Watches the pods with one set of labels. */
export class PodWatch implements AsyncDisposable {
  readonly #client: KubernetesClient;
  readonly #labelSelector: string;
  readonly #closed = new AbortController();
  readonly #pods = new Map<string, Pod>();
  readonly #observers = new Map<string, Set<Observer>>();
  readonly #deleted = new Map<string, string>();
  #running: Promise<void> | undefined;
  #version: string | undefined;
  /** Number of attempts since the last watch that worked. */
  #failures = 0;
  #wasReported = false;
  #problem: string | undefined;
  #missedUntil = 0;

  constructor(client: KubernetesClient, labelSelector: string) {
    this.#client = client;
    this.#labelSelector = labelSelector;
  }

  /** Adds a pod that a request has returned, and begins the watch. */
  add(pod: Pod): void {
    this.#running ??= this.#run();
    const { name, uid } = pod.metadata;
    if (this.#pods.has(name) || this.#deleted.get(name) === uid) return;
    this.#pods.set(name, pod);
  }

  /** Returns the last known state of a pod; undefined if there is none. */
  find(name: string): Pod | undefined {
    return this.#pods.get(name);
  }

  /** Returns why the watch does not work at present; undefined if it does. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /**
   * Waits for a state of an added pod for which `select` returns a value.
   *
   * @throws The error of `select`, or the signal's reason.
   */
  async waitFor<T>(
    pod: Pod,
    select: (state: PodState) => T | undefined,
    signal: AbortSignal,
  ): Promise<T> {
    signal.throwIfAborted();
    const { name } = pod.metadata;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const observer: Observer = (state) => {
      try {
        const value = select(state);
        if (value !== undefined) resolve(value);
      } catch (error) {
        reject(error);
      }
    };
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const observers = this.#observers.get(name) ?? new Set();
    this.#observers.set(name, observers.add(observer));
    const known = this.#pods.get(name);
    observer({ pod: known, last: known ?? pod, wasMissed: false });
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      observers.delete(observer);
      if (observers.size === 0) this.#observers.delete(name);
    }
  }

  /** Ends the watch. Observers are not called again. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new Error("The watch was closed"));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      const begun = systemClock.monotonic();
      const isBroken = await this.#watchOnce(signal);
      if (!isBroken && systemClock.monotonic() - begun >= STABLE_MS) {
        this.#noteWorking();
        continue;
      }
      const pause = RETRY_MS * 2 ** Math.min(this.#failures++, 10);
      // Workers of a grid do not return at the same moment.
      const jitter = 1 + 0.2 * Math.random();
      await systemClock.sleep(Math.min(pause, MAX_RETRY_MS) * jitter, signal)
        .catch(() => {});
    }
  }

  /** Lists the pods if necessary, and watches them until the watch ends. Returns true if it was broken. */
  async #watchOnce(signal: AbortSignal): Promise<boolean> {
    try {
      this.#version ??= await this.#list(signal);
      this.#version = await this.#watch(this.#version, signal);
      return false;
    } catch (error) {
      if (signal.aborted) return true;
      // The server no longer has the changes since that version.
      if (apiStatus(error) === 410) this.#version = undefined;
      else this.#noteProblem(error);
      return true;
    }
  }

  #noteProblem(error: unknown): void {
    this.#problem = toReason(error);
    if (this.#wasReported) return;
    this.#wasReported = true;
    log.warn("Watch of pods failed, retrying: {error}", {
      error: this.#problem,
    });
  }

  /** Called when the server responds again, which does not show yet that a watch lasts. */
  #noteResponse(): void {
    this.#problem = undefined;
    if (this.#failures === 0) return;
    this.#missedUntil = systemClock.monotonic() + MISSED_MS;
  }

  /** Called when a watch has sent a change or a bookmark, or has ended after its time. */
  #noteWorking(): void {
    this.#failures = 0;
    this.#wasReported = false;
  }

  /** Reads the state of all pods, and returns its version. */
  async #list(signal: AbortSignal): Promise<string> {
    const before = [...this.#pods.values()];
    const { pods, resourceVersion } = await this.#client.listPods(
      this.#labelSelector,
      { signal },
    );
    this.#noteResponse();
    const found = new Set(pods.map(({ metadata }) => metadata.uid));
    for (const pod of before) {
      if (!found.has(pod.metadata.uid)) this.#remove(pod);
    }
    for (const pod of pods) this.#set(pod);
    return resourceVersion;
  }

  /** Follows changes until the server ends the watch, and returns the version of the last one. */
  async #watch(version: string, closed: AbortSignal): Promise<string> {
    using silence = new Watchdog(SILENCE_MS);
    const signal = AbortSignal.any([closed, silence.signal]);
    const events = this.#client.watchPods({
      labelSelector: this.#labelSelector,
      resourceVersion: version,
      timeoutSeconds: WATCH_SECONDS,
      onOpen: () => this.#noteResponse(),
    }, signal);
    for await (const event of events) {
      silence.feed(SILENCE_MS);
      this.#apply(event);
      this.#noteWorking();
      // Kept at once: the connection may break at any time.
      this.#version = event.type === "ERROR"
        ? version
        : event.object.metadata.resourceVersion;
    }
    return this.#version ?? version;
  }

  #apply(event: WatchEvent): void {
    switch (event.type) {
      case "ADDED":
      case "MODIFIED":
        return this.#set(event.object);
      case "DELETED":
        return this.#remove(event.object);
      case "BOOKMARK":
        return;
      case "ERROR":
        throw new ApiError({
          status: event.object.code ?? 500,
          reason: event.object.reason ?? "",
          message: event.object.message ?? "the watch failed",
        });
      default:
        event satisfies never;
    }
  }

  #set(pod: Pod): void {
    this.#pods.set(pod.metadata.name, pod);
    this.#notify({ pod, last: pod });
  }

  #remove(pod: Pod): void {
    const { name, uid } = pod.metadata;
    this.#pods.delete(name);
    lruTouch(this.#deleted, [name, uid], MAX_DELETED);
    this.#notify({ pod: undefined, last: pod });
  }

  #notify({ pod, last }: Pick<PodState, "pod" | "last">): void {
    const wasMissed = systemClock.monotonic() < this.#missedUntil;
    const observers = this.#observers.get(last.metadata.name) ?? [];
    for (const observer of [...observers]) observer({ pod, last, wasMissed });
  }
}
