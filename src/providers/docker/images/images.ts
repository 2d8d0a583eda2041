import { abortable } from "../../../async/abortable.ts";
import { systemClock } from "../../../async/clock.ts";
import type { Engine } from "../engine/engine.ts";
import { ensureImage, type EnsureOptions, type LocalImage } from "./image.ts";

/** Time for which starts use a found image without asking the engine again. */
const CACHE_MS = 60_000;

/** A cache of the engine's images. Concurrent callers share one pull, and a found image is cached for a minute. */
export class Images {
  readonly #engine: Engine;
  readonly #options: EnsureOptions;
  /** Pending pulls by name. */
  readonly #pulls = new Map<string, Promise<LocalImage>>();
  readonly #found = new Map<
    string,
    { readonly image: LocalImage; readonly at: number }
  >();

  constructor(engine: Engine, options: EnsureOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  /** Requests an image, pulled before if the policy requires it. A pull continues when `signal` is aborted. */
  fetch(name: string, signal: AbortSignal): Promise<LocalImage> {
    const pull = this.#pulls.get(name) ??
      this.#fetch(name).finally(() => this.#pulls.delete(name));
    this.#pulls.set(name, pull);
    return abortable(pull, signal);
  }

  /** Returns the cached image, or fetches it. */
  async use(name: string, signal: AbortSignal): Promise<LocalImage> {
    const found = this.#found.get(name);
    return found && systemClock.monotonic() - found.at < CACHE_MS
      ? found.image
      : await this.fetch(name, signal);
  }

  /** Removes an image from the cache. */
  evict(name: string): void {
    this.#found.delete(name);
  }

  /** Resolves when no pull is pending. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#pulls.values());
  }

  async #fetch(name: string): Promise<LocalImage> {
    const image = await ensureImage(this.#engine, name, this.#options);
    this.#found.set(name, { image, at: systemClock.monotonic() });
    return image;
  }
}
