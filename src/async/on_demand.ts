/** A part of the program that is loaded when it is used first. Disposal disposes it if it was and can be. */
export class OnDemand<T extends object> implements AsyncDisposable {
  readonly #load: () => Promise<T>;
  #loaded: Promise<T> | undefined;

  /** @param load Imports the module of the part and creates it. Called once. */
  constructor(load: () => Promise<T>) {
    this.#load = load;
  }

  /** Returns the part. Rejects for every caller if it cannot be loaded. */
  get(): Promise<T> {
    return this.#loaded ??= this.#load();
  }

  /** Loads the part before it is used, and then calls `prepare`. The first use reports a failure to load. */
  prefetch(prepare?: (part: T) => void): void {
    this.get().then(prepare, () => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A failed load has been reported to those who asked for the part.
    const loaded = await this.#loaded?.catch(() => undefined);
    if (loaded && isDisposable(loaded)) await loaded[Symbol.asyncDispose]();
  }
}

function isDisposable(part: object): part is AsyncDisposable {
  return Symbol.asyncDispose in part;
}
