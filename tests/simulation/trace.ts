import { createHash } from "node:crypto";

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Lines that are kept for a person to read. */
const KEPT = 40;

/**
 * Log of a run with the same text in every run of a seed: ids, which differ from run to run, are numbered in order of
 * appearance.
 */
export class Trace {
  readonly #hash = createHash("sha256");
  readonly #names = new Map<string, string>();
  readonly #last: string[] = [];
  readonly #sink: ((line: string) => void) | undefined;

  /** @param sink Told of every line. */
  constructor(sink?: (line: string) => void) {
    this.#sink = sink;
  }

  add(now: number, what: string): void {
    const line = `${(now / 1_000).toFixed(3).padStart(10)} ${this.named(what)}`;
    this.#hash.update(line);
    this.#last.push(line);
    if (this.#last.length > KEPT) this.#last.shift();
    this.#sink?.(line);
  }

  /** Names an id; it stands for itself in every later line. */
  name(id: string, name: string): void {
    if (!this.#names.has(id)) this.#names.set(id, name);
  }

  /** The text with every id replaced by its name. */
  named(text: string): string {
    return text.replaceAll(UUID, (id) => {
      this.name(id, `#${this.#names.size}`);
      return this.#names.get(id) ?? id;
    });
  }

  get last(): readonly string[] {
    return this.#last;
  }

  /** The same for the same history. Ends the trace. */
  digest(): string {
    return this.#hash.digest("hex");
  }
}
