import { settleWithin } from "../../async/settle_within.ts";
import { findBrowser, type FoundBrowser } from "./find_browser.ts";
import {
  findInstalledBrowser,
  installBrowser,
} from "./install/install_browser.ts";

/** Maximum wait for a pending installation when the host is closed. */
const CLOSE_WAIT_MS = 1_000;

/** Options of {@linkcode BrowserFinder}. */
export interface BrowserFinderOptions {
  /** Path that the pool configures. */
  readonly executablePath: string | undefined;
  /** Folder in which browsers are installed. */
  readonly folder: string;
  readonly onProgress: (line: string) => void;
}

/** Finds the browser of a host, or installs one. The result is cached. */
export class BrowserFinder {
  readonly #options: BrowserFinderOptions;
  #cached: Promise<FoundBrowser> | undefined;

  constructor(options: BrowserFinderOptions) {
    this.#options = options;
  }

  /** Returns the browser of the host; undefined if none is installed. */
  async find(): Promise<FoundBrowser | undefined> {
    const { executablePath, folder } = this.#options;
    return await findBrowser(executablePath) ??
      await findInstalledBrowser(folder);
  }

  /** Returns the browser of the host, installed once if there is none. The next call retries a failure. */
  get(): Promise<FoundBrowser> {
    this.#cached ??= this.#findOrInstall().catch((error: unknown) => {
      this.#cached = undefined;
      throw error;
    });
    return this.#cached;
  }

  /** Removes the cached result. */
  forget(): void {
    this.#cached = undefined;
  }

  /** Waits a moment for a pending search or installation. */
  async settle(): Promise<void> {
    if (this.#cached) await settleWithin(this.#cached, CLOSE_WAIT_MS);
  }

  async #findOrInstall(): Promise<FoundBrowser> {
    const { folder, onProgress } = this.#options;
    const found = await this.find() ?? await installBrowser(folder, onProgress);
    onProgress(`Using the browser ${found.path} (${found.source})`);
    return found;
  }
}
