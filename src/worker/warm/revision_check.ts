import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import type { BrowserSpec } from "../../core/browser_spec.ts";
import { createLogger } from "../../core/log.ts";
import type { BrowserHost } from "../../core/provider.ts";
import type { WarmBrowser } from "./browser.ts";

const log = createLogger("worker", "revision_check");

/** Interval of the checks. */
const PERIOD_MS = 60_000;

/** Timeout of one check. */
const TIMEOUT_MS = 10_000;

/** Options of a {@linkcode RevisionCheck}. */
export interface RevisionCheckOptions {
  readonly host: Pick<BrowserHost, "revision">;
  readonly clock: Clock;
  /** Called after each check. */
  readonly onChecked: () => void;
}

/** Finds the warm browsers in place of which a start would now run another program or image. */
export class RevisionCheck implements AsyncDisposable {
  readonly #options: RevisionCheckOptions;
  readonly #outdated = new WeakSet<WarmBrowser>();
  readonly #stop = new AbortController();
  #checking: Promise<void> = Promise.resolve();
  #nextAt = 0;

  constructor(options: RevisionCheckOptions) {
    this.#options = options;
  }

  /** Returns true if a check has found another revision than the browser's. */
  isOutdated(browser: WarmBrowser): boolean {
    return this.#outdated.has(browser);
  }

  /** Begins a check of the `browsers` with `spec`, unless the last one began less than a minute ago. */
  runIfDue(spec: BrowserSpec, browsers: ReadonlySet<WarmBrowser>): void {
    const { host, clock } = this.#options;
    const now = clock.monotonic();
    if (!host.revision || now < this.#nextAt) return;
    this.#nextAt = now + PERIOD_MS * (1 + Math.random() / 10);
    this.#checking = this.#run(spec, browsers).catch((error) =>
      log.debug("Revision check failed: {error}", { error })
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#checking;
  }

  async #run(
    spec: BrowserSpec,
    browsers: ReadonlySet<WarmBrowser>,
  ): Promise<void> {
    const { host, clock, onChecked } = this.#options;
    using timeout = deadline(clock, TIMEOUT_MS, this.#stop.signal);
    const current = await host.revision?.(spec, timeout.signal);
    for (const browser of browsers) {
      const { revision } = browser;
      const isOther = revision !== undefined && revision !== current;
      if (isOther && isDeepStrictEqual(browser.spec, spec)) {
        this.#outdated.add(browser);
      }
    }
    onChecked();
  }
}
