import { Watchdog } from "../../../async/watchdog.ts";
import { openEngineResponse } from "../engine/stream_response.ts";
import { callEngine, type Engine } from "../engine/engine.ts";
import { type EngineEvent, readEngineEvents } from "../engine/events.ts";

/** Longest time that a pull may take. */
const PULL_TIMEOUT_MS = 30 * 60_000;

/** How long a pull may go on without getting anywhere. */
const STALL_MS = 120_000;

/** How a slow step tells where it is and is ended. */
export interface Progress {
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** How {@linkcode pullImage} goes on and is given up. */
export interface PullOptions extends Progress {
  /** @default {120_000} */
  readonly stallMs?: number;
}

/**
 * Pulls an image.
 *
 * @throws {Error} with the engine's own words, or when it gets nowhere for two minutes.
 */
export async function pullImage(
  engine: Engine,
  name: string,
  { onProgress, signal, stallMs = STALL_MS }: PullOptions,
): Promise<void> {
  const layers = new Layers();
  using watchdog = new Watchdog(stallMs);
  let last = "";
  await callEngine(async (abortSignal) => {
    const answer = await openEngineResponse(engine.docker.modem, {
      method: "POST",
      path: "/images/create",
      query: { fromImage: addDefaultTag(name) },
      abortSignal,
    });
    for await (const event of readEngineEvents(answer)) {
      if (layers.add(event)) watchdog.feed(stallMs);
      const line = `Pulling image ${name}: ${layers.percent()} %`;
      if (line !== last) onProgress(last = line);
    }
  }, {
    signal: AbortSignal.any([signal, watchdog.signal]),
    timeoutMs: PULL_TIMEOUT_MS,
  });
}

/** Without a tag the engine would pull every tag there is. */
function addDefaultTag(name: string): string {
  return /[:@][^/]*$/.test(name) ? name : `${name}:latest`;
}

/** How far the layers of an image are. */
class Layers {
  /** Share that is done, by layer. */
  readonly #done = new Map<string, number>();
  /** What was last said, by layer. */
  readonly #said = new Map<string, string>();

  /** Whether this is news: an engine may repeat itself while it gets nowhere, and counts down to another try. */
  add({ id = "", status = "", progressDetail }: EngineEvent): boolean {
    const { current, total } = progressDetail ?? {};
    if (current && total) this.#done.set(id, current / total);
    const words = `${status} ${current}`;
    if (this.#said.get(id) === words || /^Retrying/.test(status)) return false;
    this.#said.set(id, words);
    return true;
  }

  /** In steps of ten. */
  percent(): number {
    if (this.#done.size === 0) return 0;
    const done = [...this.#done.values()].reduce((sum, part) => sum + part, 0);
    return Math.floor(10 * done / this.#done.size) * 10;
  }
}
