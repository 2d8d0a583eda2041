import type { Clock } from "../../async/clock.ts";
import type { BrowserSpec } from "../../core/browser_spec.ts";
import { createLogger } from "../../core/log.ts";
import type {
  BrowserHost,
  CheckResult,
  RunningBrowser,
} from "../../core/provider.ts";
import { LiveSessionIds } from "./live_session_ids.ts";
import { abandonOnAbort } from "../abandon_on_abort.ts";

const log = createLogger("worker", "warm_host");

/** Sessions of the browsers that were handed over, by the made-up session id that the host knows the browser by. */
export type HandedOver = Readonly<Record<string, string>>;

/** Options of a {@linkcode WarmHost}. */
export interface WarmHostOptions {
  readonly host: BrowserHost;
  readonly clock: Pick<Clock, "sleep">;
  /** Browsers that an earlier process of the worker handed over. */
  readonly handedOver: HandedOver;
  /** Saves the browsers that were handed over for the next process. Called once at a time. */
  readonly save: (handedOver: HandedOver) => Promise<void>;
}

/**
 * A browser host that can start browsers before their sessions exist.
 *
 * The provider's host knows such a browser by a made-up session id until its end. After its hand-over this host returns
 * it with the id of its session, also in the worker's next process. That process sweeps browsers that were not handed
 * over.
 */
export class WarmHost implements BrowserHost {
  readonly ping?: (signal: AbortSignal) => Promise<void>;
  readonly prepare?: (signal: AbortSignal, spec?: BrowserSpec) => Promise<void>;
  readonly revision?: (
    spec: BrowserSpec,
    signal: AbortSignal,
  ) => Promise<string>;
  readonly #options: WarmHostOptions;
  readonly #unassigned = new Set<string>();
  /** Session of each browser that was handed over. */
  readonly #sessions: Map<string, string>;
  #saved: Promise<void> = Promise.resolve();

  constructor(options: WarmHostOptions) {
    const { host, handedOver } = options;
    this.#options = options;
    this.#sessions = new Map(Object.entries(handedOver));
    if (host.ping) this.ping = host.ping.bind(host);
    if (host.prepare) this.prepare = host.prepare.bind(host);
    if (host.revision) this.revision = host.revision.bind(host);
  }

  check(): Promise<readonly CheckResult[]> {
    return this.#options.host.check();
  }

  async start(
    spec: BrowserSpec,
    sessionId: string,
    signal: AbortSignal,
  ): Promise<RunningBrowser> {
    // An earlier attempt may have used a warm browser, which has ended.
    await this.#deleteHandedOver(this.#findBrowserIds(sessionId));
    return await this.#options.host.start(spec, sessionId, signal);
  }

  /** Starts a browser without a session. A start that does not react to its signal is abandoned. */
  async startUnassigned(
    spec: BrowserSpec,
    signal: AbortSignal,
  ): Promise<RunningBrowser> {
    const { host, clock } = this.#options;
    const id = crypto.randomUUID();
    this.#unassigned.add(id);
    try {
      const starting = host.start(spec, id, signal);
      return await abandonOnAbort(starting, signal, clock);
    } catch (error) {
      this.#unassigned.delete(id);
      throw error;
    }
  }

  /** Ends a browser of {@linkcode startUnassigned}. @throws The error of its `stop`. */
  async discard(browser: RunningBrowser): Promise<void> {
    try {
      await browser.stop(0);
    } finally {
      this.#unassigned.delete(browser.sessionId);
    }
  }

  /**
   * Assigns a browser of {@linkcode startUnassigned} to a session, and resolves when that is saved for the worker's next
   * process.
   *
   * @throws The error of saving. The browser then remains without a session.
   */
  async handOver(
    browser: RunningBrowser,
    sessionId: string,
  ): Promise<RunningBrowser> {
    const id = browser.sessionId;
    for (const earlier of this.#findBrowserIds(sessionId)) {
      this.#sessions.delete(earlier);
    }
    this.#sessions.set(id, sessionId);
    try {
      await this.#save();
    } catch (error) {
      this.#sessions.delete(id);
      throw error;
    }
    this.#unassigned.delete(id);
    return this.#toSessionBrowser(browser, sessionId);
  }

  async adopt(): Promise<readonly RunningBrowser[]> {
    const found = await this.#options.host.adopt();
    const ids = new Set(found.map(({ sessionId }) => sessionId));
    await this.#deleteHandedOver(
      [...this.#sessions.keys()].filter((id) => !ids.has(id)),
    );
    return found.flatMap((browser) => {
      const { sessionId: id } = browser;
      const sessionId = this.#sessions.get(id);
      if (sessionId !== undefined) {
        return [this.#toSessionBrowser(browser, sessionId)];
      }
      // A browser whose session was handed another one since is not adopted.
      return this.#findBrowserIds(id).length > 0 ? [] : [browser];
    });
  }

  async sweep(keep: ReadonlySet<string>): Promise<readonly string[]> {
    const ended = await this.#options.host.sweep(
      new LiveSessionIds(keep, {
        unassigned: this.#unassigned,
        sessions: this.#sessions,
      }),
    );
    const sessions = ended.map((id) => this.#sessions.get(id) ?? id);
    await this.#deleteHandedOver(ended);
    return sessions;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#saved.catch(() => {});
    await this.#options.host[Symbol.asyncDispose]();
  }

  #toSessionBrowser(
    browser: RunningBrowser,
    sessionId: string,
  ): RunningBrowser {
    return {
      sessionId,
      endpoint: browser.endpoint,
      ...(browser.socketPath === undefined
        ? {}
        : { socketPath: browser.socketPath }),
      details: browser.details,
      exited: browser.exited,
      stop: async (graceMs) => {
        const { sessionId: id } = browser;
        try {
          await browser.stop(graceMs);
          // Not saved: the next process finds that the browser is gone.
          this.#sessions.delete(id);
        } catch (error) {
          await this.#deleteHandedOver([id]);
          throw error;
        }
      },
      ...(browser.probe && { probe: browser.probe.bind(browser) }),
      ...(browser.stats && { stats: browser.stats.bind(browser) }),
      ...(browser.logs && { logs: browser.logs.bind(browser) }),
      ...(browser.followLogs &&
        { followLogs: browser.followLogs.bind(browser) }),
    };
  }

  #findBrowserIds(sessionId: string): readonly string[] {
    return [...this.#sessions].filter(([, each]) => each === sessionId).map((
      [id],
    ) => id);
  }

  /** Never rejects: if the change cannot be saved, the next process makes it again. */
  async #deleteHandedOver(ids: readonly string[]): Promise<void> {
    const known = ids.filter((id) => this.#sessions.delete(id));
    if (known.length === 0) return;
    await this.#save().catch((error) =>
      log.warn("Saving the handed-over browsers failed: {error}", { error })
    );
  }

  #save(): Promise<void> {
    const saving = this.#saved.catch(() => {}).then(() =>
      this.#options.save(Object.fromEntries(this.#sessions))
    );
    this.#saved = saving;
    return saving;
  }
}
