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

/** Sessions of browsers that were started before them, by the id under which their host knows the browser. */
export type HandedOver = Readonly<Record<string, string>>;

/** What a warm host is made of. */
export interface WarmHostOptions {
  readonly host: BrowserHost;
  readonly clock: Pick<Clock, "sleep">;
  /** What an earlier process had handed over. */
  readonly handedOver: HandedOver;
  /** Keeps it for the next process. One call at a time. */
  readonly save: (handedOver: HandedOver) => Promise<void>;
}

/**
 * A host whose browsers may be started before there is a session for them.
 *
 * Its provider knows such a browser under a made-up id for as long as it lives. Here it has its session's id from its
 * hand-over on, also in the worker's next process. What was never handed over is nobody's there, and is swept.
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
    // Of an earlier attempt, whose browser is ended.
    await this.#deleteHandedOver(this.#findBrowserIds(sessionId));
    return await this.#options.host.start(spec, sessionId, signal);
  }

  /** As {@linkcode start}, for no session yet. One that does not hear its signal is left behind. */
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

  /** Ends what {@linkcode startUnassigned} gave. Rejects as its `stop`. */
  async discard(browser: RunningBrowser): Promise<void> {
    try {
      await browser.stop(0);
    } finally {
      this.#unassigned.delete(browser.sessionId);
    }
  }

  /**
   * Makes what {@linkcode startUnassigned} gave the browser of a session, and resolves when the worker's next process would
   * know. If that cannot be written it rejects, and the browser is still nobody's.
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
      // The session has another one since.
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
        try {
          await browser.stop(graceMs);
        } finally {
          await this.#deleteHandedOver([browser.sessionId]);
        }
      },
      ...(browser.probe && { probe: browser.probe.bind(browser) }),
      ...(browser.stats && { stats: browser.stats.bind(browser) }),
      ...(browser.logs && { logs: browser.logs.bind(browser) }),
    };
  }

  #findBrowserIds(sessionId: string): readonly string[] {
    return [...this.#sessions].filter(([, held]) => held === sessionId).map((
      [id],
    ) => id);
  }

  /** Never rejects: what is remembered for too long is forgotten by the next process. */
  async #deleteHandedOver(ids: readonly string[]): Promise<void> {
    const known = ids.filter((id) => this.#sessions.delete(id));
    if (known.length === 0) return;
    await this.#save().catch((error) =>
      log.warn("Cannot write which browsers were handed over: {error}", {
        error,
      })
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
