import { Watchdog } from "../../../async/watchdog.ts";
import { callEngine } from "../engine/call_engine.ts";
import type { Engine } from "../engine/engine.ts";
import { type EngineEvent, readEngineEvents } from "../engine/events.ts";
import { openEngineResponse } from "../engine/stream_response.ts";
import type { RegistryAuth } from "../registry/credentials.ts";

/** Timeout of a pull. */
const PULL_TIMEOUT_MS = 30 * 60_000;

/** Time without progress after which a pull fails. */
const STALL_MS = 120_000;

/** The progress messages and the end of a slow step. */
export interface Progress {
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Options of {@linkcode pullImage}. */
export interface PullOptions extends Progress {
  /** Time without progress after which the pull fails. @default {120_000} */
  readonly stallMs?: number;
  /** Credentials of the image's registry. */
  readonly auth?: RegistryAuth | undefined;
}

/**
 * Pulls an image.
 *
 * @throws {Error} The engine's error, or that there was no progress for `stallMs`.
 */
export async function pullImage(
  engine: Engine,
  name: string,
  { onProgress, signal, stallMs = STALL_MS, auth }: PullOptions,
): Promise<void> {
  const layers = new Layers();
  using watchdog = new Watchdog(stallMs);
  let last = "";
  await callEngine(async (abortSignal) => {
    const response = await openEngineResponse(engine.docker.modem, {
      method: "POST",
      path: "/images/create",
      query: { fromImage: addDefaultTag(name) },
      auth,
      abortSignal,
    });
    for await (const event of readEngineEvents(response)) {
      if (layers.add(event)) watchdog.feed(stallMs);
      const line = `Pulling image ${name}: ${layers.percent()} %`;
      if (line !== last) onProgress(last = line);
    }
  }, {
    signal: AbortSignal.any([signal, watchdog.signal]),
    timeoutMs: PULL_TIMEOUT_MS,
  });
}

/** Adds a tag to a name without one, for which the engine would pull every tag. */
function addDefaultTag(name: string): string {
  return /[:@][^/]*$/.test(name) ? name : `${name}:latest`;
}

/** The progress of the layers of a pull. */
class Layers {
  /** Finished share by layer. */
  readonly #done = new Map<string, number>();
  /** Last message by layer. */
  readonly #messages = new Map<string, string>();

  /** Records a message and reports whether it is progress: a stalled engine repeats messages and counts down to retries. */
  add({ id = "", status = "", progressDetail }: EngineEvent): boolean {
    const { current, total } = progressDetail ?? {};
    if (current && total) this.#done.set(id, current / total);
    const message = `${status} ${current}`;
    if (this.#messages.get(id) === message || /^Retrying/.test(status)) {
      return false;
    }
    this.#messages.set(id, message);
    return true;
  }

  /** Returns the finished share of the pull in percent, in steps of ten. */
  percent(): number {
    if (this.#done.size === 0) return 0;
    const done = [...this.#done.values()].reduce((sum, part) => sum + part, 0);
    return Math.floor(10 * done / this.#done.size) * 10;
  }
}
