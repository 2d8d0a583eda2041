/** Most characters that are kept. */
const MAX_LENGTH = 500_000;

/** Pause between two changes of what is shown. */
const SHOW_MS = 150;

/** The end of an output, which grows. Reports its text at most some times a second. */
export class LogBuffer implements Disposable {
  readonly #show: (text: string) => void;
  #text = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(show: (text: string) => void) {
    this.#show = show;
  }

  /** Adds a part. The oldest lines are dropped if the text is too long. */
  add(part: string): void {
    this.#text += part;
    if (this.#text.length > MAX_LENGTH) {
      const cut = this.#text.slice(-MAX_LENGTH);
      this.#text = cut.slice(cut.indexOf("\n") + 1);
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#show(this.#text);
    }, SHOW_MS);
  }

  /** Forgets the text. */
  clear(): void {
    this.#text = "";
  }

  /** Ends the reports. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
