import type { OutputPart } from "../../core/provider.ts";

/** Maximum number of characters that wait for a follower. */
const MAX_WAITING = 32_768;

/** New output of a browser that waits for a follower. If too much waits, the oldest is left out and counted. */
export class OutputBuffer {
  readonly #max: number;
  #text = "";
  #omitted = 0;
  #hasEnded = false;
  #wake = () => {};

  /** @param max Maximum number of characters. @default {32_768} */
  constructor(max: number = MAX_WAITING) {
    this.#max = max;
  }

  /** Adds output. */
  add(text: string): void {
    this.#text += text;
    const excess = this.#text.length - this.#max;
    if (excess > 0) {
      const cut = findLineStart(this.#text, excess);
      this.#omitted += cut;
      this.#text = this.#text.slice(cut);
    }
    this.#wake();
  }

  /** Marks the end of the output. */
  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  /** Yields the output as it comes, until its end. One follower at a time. */
  async *read(): AsyncGenerator<OutputPart, void> {
    for (;;) {
      if (this.#text === "" && this.#omitted === 0) {
        if (this.#hasEnded) return;
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
        continue;
      }
      const part = { text: this.#text, omitted: this.#omitted };
      this.#text = "";
      this.#omitted = 0;
      yield part;
    }
  }
}

/** Returns the start of the first line at or after `at`; `at` if no line begins there. */
export function findLineStart(text: string, at: number): number {
  if (at === 0) return 0;
  const end = text.indexOf("\n", at - 1);
  return end < 0 || end + 1 === text.length ? at : end + 1;
}
