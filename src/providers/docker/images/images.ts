import { systemClock } from "../../../async/clock.ts";
import { abortable } from "../../../async/abortable.ts";
import type { DockerConfig } from "../config.ts";
import type { Engine } from "../engine/engine.ts";
import { ensureImage, type LocalImage } from "./image.ts";
import type { Progress } from "./pull_image.ts";

/** How long a start may take an image for still there without asking. */
const REMEMBER_MS = 60_000;

/** How {@linkcode Images} are got. */
export interface ImagesOptions extends Progress {
  readonly policy: DockerConfig["pull"];
}

/** The engine's images as starts need them: one pull for all who wait, and what was found is remembered for a moment. */
export class Images {
  readonly #engine: Engine;
  readonly #options: ImagesOptions;
  /** Pulls under way, so that ten sessions cause one. */
  readonly #pulls = new Map<string, Promise<LocalImage>>();
  readonly #found = new Map<
    string,
    { readonly image: LocalImage; readonly at: number }
  >();

  constructor(engine: Engine, options: ImagesOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  /** Asks the engine for an image, and pulls it first if the policy says so. It goes on when `signal` is aborted. */
  fetch(name: string, signal: AbortSignal): Promise<LocalImage> {
    const pull = this.#pulls.get(name) ??
      this.#fetch(name).finally(() => this.#pulls.delete(name));
    this.#pulls.set(name, pull);
    return abortable(pull, signal);
  }

  /** What was fetched a moment ago, else fetches it. */
  async use(name: string, signal: AbortSignal): Promise<LocalImage> {
    const found = this.#found.get(name);
    return found && systemClock.monotonic() - found.at < REMEMBER_MS
      ? found.image
      : await this.fetch(name, signal);
  }

  /** Asks the engine again the next time. */
  forget(name: string): void {
    this.#found.delete(name);
  }

  /** Resolves when nothing is being fetched. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#pulls.values());
  }

  async #fetch(name: string): Promise<LocalImage> {
    const { policy, ...progress } = this.#options;
    const image = await ensureImage(this.#engine, name, policy, progress);
    this.#found.set(name, { image, at: systemClock.monotonic() });
    return image;
  }
}
